import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient } from "@reddwarf/client"
import { Effect, Fiber } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as waiting from "vitest-config/waiting"
import { nodeOf, pod, refused, run, withPlane } from "./support/placing.js"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-scheduler-"))
afterAll(() => rmSync(directory, { recursive: true }))

const fileOf = (name: string, text: string): string => {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

const validKubeconfig = JSON.stringify({
  "apiVersion": "v1",
  "kind": "Config",
  "clusters": [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
  "users": [{ name: "u", user: { token: "t" } }],
  "contexts": [{ name: "x", context: { cluster: "c", user: "u" } }],
  "current-context": "x"
})

const configuration = (fields: string): string => `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n${fields}\n`

describe("reddwarf-server scheduler", () => {
  it.effect("says what is wrong with its configuration, and where", () =>
    Effect.gen(function*() {
      const refusal = (file: string, command: ReadonlyArray<string> = ["scheduler", "--kubeconfig", fileOf("kubeconfig", "none")]) =>
        Effect.map(run([...command, "--scheduler-config", file]), ({ lines, status }) => {
          assert.strictEqual(status, 1)
          return lines.join("\n")
        })
      const missing = join(directory, "missing.yaml")
      assert.match(yield* refusal(missing), /reddwarf-server: .*missing\.yaml: cannot be read: /)
      assert.match(yield* refusal(fileOf("text.yaml", "a: [")), /text\.yaml: is neither YAML nor JSON: /)
      assert.match(yield* refusal(fileOf("kind.yaml", "kind: Pod")), /kind\.yaml: scheduler configuration: apiVersion: is missing.*; kind: Expected "KubeSchedulerConfiguration", actual "Pod"/)
      const nameless = fileOf("nameless.yaml", configuration("profiles: [{ schedulerName: \"\" }]"))
      assert.match(yield* refusal(nameless), /nameless\.yaml: scheduler configuration: profiles\.0\.schedulerName: /)
      const serve = ["serve", "--data-dir", join(directory, "data"), "--bind", "127.0.0.1:0"]
      assert.match(yield* refusal(missing, serve), /missing\.yaml: cannot be read: /)
    }))

  it.scopedLive("places the pods that name it, beside the scheduler of the server, and gives its lease back", () =>
    withPlane(({ file }) =>
      Effect.gen(function*() {
        const api = yield* ApiClient.ApiClient
        const config = fileOf("second.yaml", configuration("leaderElection: { resourceName: second }\nprofiles: [{ schedulerName: second }]"))
        const scheduler = yield* Effect.fork(run(["scheduler", "--kubeconfig", file, "--scheduler-config", config]))
        const mine = pod("mine", "100m")
        yield* api.create(Kinds.pod, { ...mine, spec: { containers: [], ...mine.spec, schedulerName: "second" } })
        yield* api.create(Kinds.pod, pod("theirs", "100m"))
        assert.strictEqual(yield* nodeOf("mine"), "small")
        assert.strictEqual(yield* nodeOf("theirs"), "small")
        const event = yield* waiting.until(
          "the scheduler reports under its name",
          Effect.map(api.list(Kinds.event, { namespace: "default" }), ({ items }) =>
            items.find(({ involvedObject, reason }) => reason === "Scheduled" && involvedObject.name === "mine"))
        )
        assert.strictEqual(event.reportingComponent, "second")
        const holder = Effect.map(api.get(Kinds.lease, { namespace: "kube-system", name: "second" }), ({ spec }) => spec?.holderIdentity)
        assert.include(yield* holder, String(process.pid))
        yield* Fiber.interrupt(scheduler)
        assert.strictEqual(yield* holder, "")
      })))

  it.effect("says what is wrong with a module of plugins", () =>
    Effect.gen(function*() {
      const refusal = (file: string) =>
        Effect.map(run(["scheduler", "--kubeconfig", fileOf("kubeconfig", validKubeconfig), "--scheduler-plugins", file]), ({ lines, status }) => {
          assert.strictEqual(status, 1)
          return lines.join("\n")
        })
      assert.match(yield* refusal(join(directory, "nowhere.mjs")), /reddwarf-server: .*nowhere\.mjs: cannot be loaded: /)
      assert.match(yield* refusal(fileOf("broken.mjs", "export const plugins = [")), /broken\.mjs: cannot be loaded: /)
      assert.match(yield* refusal(fileOf("empty.mjs", "export const other = 1")), /empty\.mjs: must export `plugins`, a list/)
      assert.match(yield* refusal(fileOf("nameless.mjs", "export const plugins = [{ filter: () => undefined }]")), /plugins\[0\] is no scheduler plugin: it has no name/)
      assert.match(yield* refusal(fileOf("text.mjs", "export const plugins = [{ name: \"A\", score: 1 }]")), /it A: score is no function/)
      assert.match(yield* refusal(fileOf("typo.mjs", "export const plugins = [{ name: \"A\", fliter: () => undefined }]")), /it A: there is no extension point fliter/)
    }))

  it.scopedLive("runs plugins with code of somebody's own", () =>
    withPlane(({ file }) =>
      Effect.gen(function*() {
        const api = yield* ApiClient.ApiClient
        const module = fileOf(
          "asked.mjs",
          `const refusal = { code: "Unresolvable", reasons: ["node(s) were not asked for"] }
          const asked = ({ pod }) => pod.metadata.annotations?.["example.com/asked"]
          export const plugins = [{ name: "Asked", preBindWait: () => undefined, filter: (pod, node) => asked(pod) === undefined || asked(pod) === node.name ? undefined : refusal }]`
        )
        const config = fileOf(
          "third.yaml",
          configuration("leaderElection: { resourceName: third }\nprofiles: [{ schedulerName: third, plugins: { multiPoint: { enabled: [{ name: Asked }] } } }]")
        )
        yield* Effect.fork(run(["scheduler", "--kubeconfig", file, "--scheduler-config", config, "--scheduler-plugins", module]))
        const asking = (name: string, node: string) => {
          const draft = pod(name, "100m")
          return api.create(Kinds.pod, {
            metadata: { ...draft.metadata, annotations: { "example.com/asked": node } },
            spec: { containers: [], ...draft.spec, schedulerName: "third" }
          })
        }
        yield* asking("here", "small")
        yield* asking("there", "elsewhere")
        assert.strictEqual(yield* nodeOf("here"), "small")
        assert.include((yield* refused("there")).message, "1 node(s) were not asked for")
      })))
})
