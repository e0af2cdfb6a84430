import { Certificates, HttpsEdge, Kubeconfig, Server } from "@reddwarf/apiserver"
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-example-"))

const program = Effect.gen(function*() {
  const edge = yield* HttpsEdge.HttpsEdge
  const certificates = yield* Certificates.Certificates
  const credentials = yield* certificates.client("admin", "kubernetes-admin", ["system:masters"])
  yield* Kubeconfig.write(join(directory, "admin.conf"), {
    server: edge.url,
    authority: certificates.authority,
    user: "kubernetes-admin",
    credentials
  })
  yield* Console.log(`serving on ${edge.host}; kubectl --kubeconfig admin.conf get namespaces`)
})

const live = Server.layer({ edge: { port: 0 } }).pipe(
  Layer.provideMerge(Certificates.layer({ directory: join(directory, "pki") })),
  Layer.provide(ObjectStore.layerMemory)
)

await Effect.runPromise(Effect.scoped(Effect.provide(program, live)).pipe(
  Effect.ensuring(Effect.sync(() => rmSync(directory, { recursive: true })))
))
