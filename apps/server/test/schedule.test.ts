import { assert, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient } from "@reddwarf/client"
import { Effect } from "effect"
import { parse } from "yaml"
import { nodeOf, pod, refused, run, withPlane } from "./support/placing.js"

it.scopedLive("explains why a pod finds no node, and what would have to change", () =>
  withPlane(({ file, visitor }) =>
    Effect.gen(function*() {
      const api = yield* ApiClient.ApiClient
      const explain = (...words: ReadonlyArray<string>) => run(["schedule", "explain", "--kubeconfig", file, "-n", "default", ...words])
      yield* api.create(Kinds.pod, pod("big", "3"))
      const condition = yield* refused("big")
      assert.match(condition.message ?? "", /^0\/3 nodes are available: 1 Insufficient cpu, 1 node\(s\) had untolerated taint\(s\), 1 node\(s\) were unschedulable\./)

      const { lines, status } = yield* explain("big")
      assert.strictEqual(status, 0, lines.join("\n"))
      assert.strictEqual(lines[0], "default/big (default-scheduler): 0 of 3 nodes can take it")
      assert.strictEqual(lines[1], condition.message)
      assert.match(lines[3] ?? "", /^NODE +FITS +SCORE +PLUGIN +REASON +TO CHANGE$/)
      assert.match(lines[4] ?? "", /^closed +no +NodeUnschedulable +node\(s\) were unschedulable +uncordon the node: kubectl uncordon closed$/)
      // A cordoned node has the taint, too, once the controller has set it.
      assert.match(lines.find((line) => line.startsWith("small")) ?? "", /^small +no +NodeResourcesFit +Insufficient cpu +ask for at most 1 cpu, which is all that the node has; the pod asks for 3$/)
      assert.match(
        lines.find((line) => line.startsWith("tainted")) ?? "",
        /^tainted +no +TaintToleration +node\(s\) had untolerated taint\(s\) +tolerate the taint team=blue:NoSchedule, or remove it: kubectl taint node tainted team=blue:NoSchedule-$/
      )

      yield* api.create(Kinds.pod, pod("little", "500m"))
      assert.strictEqual(yield* nodeOf("little"), "small")
      const placed = yield* explain("little", "-o", "wide")
      assert.match(placed.lines[0] ?? "", /^default\/little \(default-scheduler\): 1 of 3 nodes can take it, best small; it is on small$/)
      assert.match(placed.lines[2] ?? "", /^NODE +FITS +SCORE +TAINTTOLERATION .*NODERESOURCESFIT .*PLUGIN +REASON +TO CHANGE$/)
      assert.match(placed.lines[3] ?? "", /^small +yes +\d+ +300 /)

      const json: unknown = JSON.parse((yield* explain("big", "-o", "json")).lines.join("\n"))
      const yaml: unknown = parse((yield* explain("big", "-o", "yaml")).lines.join("\n"))
      assert.deepStrictEqual(yaml, json)
      assert.include(JSON.stringify(json), "\"kind\":\"PodPlacement\"")

      const absent = yield* explain("absent")
      assert.strictEqual(absent.status, 1)
      assert.include(absent.lines.join("\n"), "pods \"absent\" not found")
      yield* api.create(Kinds.pod, { ...pod("foreign", "1"), spec: { schedulerName: "other", containers: [{ name: "main", image: "example/app:1" }] } })
      const foreign = yield* explain("foreign")
      assert.include(foreign.lines.join("\n"), "pod \"foreign\" asks for the scheduler \"other\", which does not run in this server")

      // Who may not ask is told so; the right is that to the resource.
      const asVisitor = run(["schedule", "explain", "--kubeconfig", visitor, "-n", "default", "big"])
      const forbidden = yield* asVisitor
      assert.strictEqual(forbidden.status, 1)
      assert.include(forbidden.lines.join("\n"), "podplacements.scheduling.reddwarf.io \"big\" is forbidden: User \"vera\" cannot get resource \"podplacements\"")
      yield* api.create(Kinds.role, {
        metadata: { name: "explains", namespace: "default" },
        rules: [{ apiGroups: ["scheduling.reddwarf.io"], resources: ["podplacements"], verbs: ["get"] }]
      })
      yield* api.create(Kinds.roleBinding, {
        metadata: { name: "explains", namespace: "default" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "explains" },
        subjects: [{ kind: "User", name: "vera", apiGroup: "rbac.authorization.k8s.io" }]
      })
      const allowed = yield* asVisitor
      assert.strictEqual(allowed.status, 0, allowed.lines.join("\n"))
    })
  ), { timeout: 60_000 })
