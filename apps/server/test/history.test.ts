import { NodeContext } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { Certificates, HttpsEdge, Kubeconfig, Server } from "@reddwarf/apiserver"
import { ApiClient, HttpTransport, KubeConfig } from "@reddwarf/client"
import { ObjectStore } from "@reddwarf/store"
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "./support/placing.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-history-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

it.scopedLive("shows what an object was, and brings it back", () =>
  Effect.gen(function*() {
    const directory = yield* temporary
    const certificates = Certificates.layer({ directory: join(directory, "pki") })
    const server = Server.layer({ edge: { port: 0 } }).pipe(
      Layer.provide(ObjectStore.layerMemory),
      Layer.provideMerge(certificates)
    )
    yield* Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const issuer = yield* Certificates.Certificates
      const file = join(directory, "kubeconfig")
      const credentials = yield* issuer.client("admin", "ada", ["system:masters"])
      yield* Kubeconfig.write(file, { server: url, authority: issuer.authority, user: "ada", credentials })
      const client = ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(yield* KubeConfig.load(file))))
      const history = (...words: ReadonlyArray<string>) => run(["history", "--kubeconfig", file, "-n", "default", ...words])

      yield* Effect.gen(function*() {
        const api = yield* ApiClient.ApiClient
        const metadata = { name: "settings", namespace: "default" }
        const first = yield* api.create(Kinds.configMap, { metadata, data: { color: "red" } })
        const second = yield* api.update(Kinds.configMap, { metadata, data: { color: "blue" } })
        const shown = yield* history("--diff", "cm", "settings")
        const found = yield* run(["history", "--diff", "cm", "settings"], { KUBECONFIG: `${file}:/other` })
        assert.deepStrictEqual([found.status, ...found.lines.slice(3)], [0, ...shown.lines.slice(3)])
        assert.strictEqual(shown.status, 0, shown.lines.join("\n"))
        assert.match(shown.lines[0] ?? "", /^REVISION +VERB +USER +MANAGER +AGE +CHANGED$/)
        assert.match(shown.lines[1] ?? "", new RegExp(`^${first.metadata.resourceVersion} +create +ada `))
        assert.match(shown.lines[2] ?? "", new RegExp(`^${second.metadata.resourceVersion} +update +ada .* data.color$`))
        assert.deepStrictEqual(shown.lines.slice(3), ["  - data.color: \"red\"", "  + data.color: \"blue\""])

        const back = yield* history("--restore", first.metadata.resourceVersion ?? "", "configmaps", "settings")
        assert.strictEqual(back.status, 0, back.lines.join("\n"))
        assert.deepStrictEqual((yield* api.get(Kinds.configMap, metadata)).data, { color: "red" })

        yield* api.delete(Kinds.configMap, metadata)
        const again = yield* history("--restore", second.metadata.resourceVersion ?? "", "configmap", "settings")
        assert.strictEqual(again.status, 0, again.lines.join("\n"))
        const made = yield* api.get(Kinds.configMap, metadata)
        assert.deepStrictEqual(made.data, { color: "blue" })
        assert.notStrictEqual(made.metadata.uid, first.metadata.uid)

        const wrong = yield* history("--restore", "1", "configmap", "settings")
        assert.strictEqual(wrong.status, 1)
        assert.include(wrong.lines.join("\n"), "configmaps settings has no version 1: there are")
        const nothing = yield* history("nonsense", "settings")
        assert.include(nothing.lines.join("\n"), "the server has no resource \"nonsense\"")
        assert.strictEqual((yield* history("cm", "other")).status, 1)
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(server))
  }).pipe(Effect.provide(NodeContext.layer)), { timeout: 30_000 })
