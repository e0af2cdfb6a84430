import type { Scenario } from "../../src/Conformance.js"
import { pod } from "./manifests.js"

const node = "apiVersion: v1\nkind: Node\nmetadata: { name: $NS }\n"

/** Nodes that nothing runs on: cordon, drain, taint. */
export const nodes: ReadonlyArray<Scenario> = [{
  name: "nodes",
  setup: [["create -f -", node], ["create -f -", pod("p1", "  nodeName: $NS\n  tolerations: [{ operator: Exists }]\n")]],
  cases: [
    { verb: "get nodes", command: "get node $NS", stdout: /^NAME +STATUS +ROLES +AGE +VERSION\nnodes-[\d-]+ +(Unknown|NotReady) +<none> +\S+ +\n$/ },
    { verb: "describe node", command: "describe node $NS", stdout: /^Name: +nodes-[\d-]+\nRoles: +<none>\nLabels: +<none>\n[\s\S]*Non-terminated Pods: +\(1 in total\)\n/ },
    { verb: "cordon", command: "cordon $NS", stdout: "node/$NS cordoned\n", after: [["get node $NS", /SchedulingDisabled/]] },
    { verb: "cordon", command: "cordon $NS", stdout: "node/$NS already cordoned\n" },
    { verb: "uncordon", command: "uncordon $NS", stdout: "node/$NS uncordoned\n" },
    { verb: "taint", command: "taint nodes $NS key=value:NoSchedule", stdout: "node/$NS tainted\n", after: [["get node $NS -o jsonpath={.spec.taints[*].key}", /\bkey\b/]] },
    { verb: "taint", command: "taint nodes $NS key=value:NoSchedule", code: 1, stderr: /^error: node nodes-[\d-]+ already has key taint\(s\) with same effect\(s\) and --overwrite is false\n$/i },
    { verb: "taint", command: "taint nodes $NS key-", stdout: "node/$NS untainted\n" },
    { verb: "taint", command: "taint nodes $NS nokey-", code: 1, stderr: "error: taint \"nokey\" not found\n" },
    { verb: "label", command: "label node $NS node-role.kubernetes.io/worker=", stdout: "node/$NS labeled\n", after: [["get node $NS", / worker /]] },
    { verb: "drain", command: "drain $NS", code: 1, stdout: /^node\/nodes-[\d-]+ cordoned\n/, stderr: { "1.20": /cannot delete Pods not managed by/, "1.32": /cannot delete Pods that declare no controller \(use --force to override\): nodes-1-32\/p1/, "1.36": /cannot delete Pods that declare no controller \(use --force to override\): nodes-1-36\/p1/ } },
    { verb: "drain", command: "drain $NS --force --timeout=60s", stdout: /evicting pod nodes-[\d-]+\/p1\npod\/p1 evicted\nnode\/nodes-[\d-]+ (evicted|drained)\n$/, stderr: /WARNING: deleting Pods (that declare no controller|not managed by)/i, after: [["get pod p1 --ignore-not-found", ""]] }
  ]
}]
