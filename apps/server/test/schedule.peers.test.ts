/** Real kubectl of several versions asks why a pod goes nowhere. Needs REDDWARF_PEERS to name a folder with bin/kubectl-<version>. */
import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient } from "@reddwarf/client"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { pod, refused, withPlane } from "./support/placing.js"

const peers = process.env["REDDWARF_PEERS"]
const versions = ["1.20", "1.32", "1.36"].filter((version) => peers !== undefined && existsSync(join(peers, "bin", `kubectl-${version}`)))

describe.skipIf(versions.length === 0)("kubectl (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  it.scopedLive("asks why a pod goes nowhere", () =>
    withPlane(({ directory, file }) =>
      Effect.gen(function*() {
        const api = yield* ApiClient.ApiClient
        yield* api.create(Kinds.pod, pod("big", "3"))
        yield* refused("big")
        for (const version of versions) {
          const kubectl = (...args: ReadonlyArray<string>) =>
            Effect.async<string>((resume) => {
              const env = { ...process.env, KUBECONFIG: file, HOME: directory }
              execFile(join(peers ?? "", "bin", `kubectl-${version}`), args, { env, timeout: 20_000 }, (error, out, err) =>
                resume(Effect.sync(() => {
                  assert.isNull(error, `kubectl-${version} ${args.join(" ")}: ${out}${err}`)
                  return out
                })))
            })
          const raw: unknown = JSON.parse(yield* kubectl("get", "--raw", "/apis/scheduling.reddwarf.io/v1alpha1/namespaces/default/podplacements/big"))
          assert.include(JSON.stringify(raw), "{\"name\":\"closed\",\"objections\":[{\"plugin\":\"NodeUnschedulable\",\"code\":\"Unresolvable\",\"reasons\":[\"node(s) were unschedulable\"],\"remedies\":[\"uncordon the node: kubectl uncordon closed\"]}")
          assert.match(
            yield* kubectl("get", "podplacement", "big"),
            /^NAME\s+SCHEDULER\s+NODE\s+FEASIBLE\s+BEST\s+MESSAGE\s*\nbig\s+default-scheduler\s+0\s+0\/3 nodes are available: 1 Insufficient cpu, /
          )
          assert.match(yield* kubectl("get", "placement", "big", "-o", "jsonpath={.nodes[1].objections[0].reasons[0]}"), /^Insufficient cpu$/)
          assert.match(yield* kubectl("api-resources", "--api-group", "scheduling.reddwarf.io"), /podplacements\s+placement\s+scheduling.reddwarf.io\/v1alpha1\s+true\s+PodPlacement/)
        }
      })
    ), { timeout: 60_000 })
})
