import type { Scenario } from "../../src/Conformance.js"
import { configMap, deployment, pod } from "./manifests.js"

const namespaced = (text: string) => ({ "1.20": `${text}\n`, "1.32": `${text}\n`, "1.36": `${text} from $NS namespace\n` })

/** delete in its forms. */
export const deleting: ReadonlyArray<Scenario> = [{
  name: "delete",
  files: { "a.yaml": configMap("a") },
  setup: [["create -f -", configMap("a")], ["create -f -", configMap("b")], ["create -f -", configMap("c").replace("app: web", "app: other")], ["create -f -", pod("p1")], ["create -f -", pod("p2")], ["create -f -", deployment("web")], "create namespace $NS-x", "create configmap inside -n $NS-x"],
  cases: [
    { verb: "delete", command: "delete cm a --dry-run=server", stdout: { "1.20": "configmap \"a\" deleted (server dry run)\n", "1.32": "configmap \"a\" deleted (server dry run)\n", "1.36": "configmap \"a\" deleted from $NS namespace (server dry run)\n" }, after: [["get cm a -o name", "configmap/a\n"]] },
    { verb: "delete -f", command: "delete -f a.yaml", stdout: namespaced("configmap \"a\" deleted") },
    { verb: "delete -f", command: "delete -f a.yaml", code: 1, stderr: "Error from server (NotFound): error when deleting \"a.yaml\": configmaps \"a\" not found\n" },
    { verb: "delete", command: "delete cm a", code: 1, stderr: "Error from server (NotFound): configmaps \"a\" not found\n" },
    { verb: "delete", command: "delete cm a --ignore-not-found", stdout: "" },
    { verb: "delete -l", command: "delete cm -l app=other", stdout: namespaced("configmap \"c\" deleted"), after: [["get cm b -o name", "configmap/b\n"]] },
    { verb: "delete", command: "delete pod p1", stdout: namespaced("pod \"p1\" deleted"), after: [["get pod p1 --ignore-not-found", ""]] },
    { verb: "delete --force", command: "delete pod p2 --grace-period=0 --force", stdout: { "1.20": "pod \"p2\" force deleted\n", "1.32": "pod \"p2\" force deleted\n", "1.36": "pod \"p2\" force deleted from $NS namespace\n" }, stderr: /Immediate deletion does not wait for confirmation/i },
    { verb: "delete --cascade", command: "delete deployment web --cascade=orphan", stdout: namespaced("deployment.apps \"web\" deleted") },
    { verb: "delete --all", command: "delete cm --all", stdout: /configmap "b" deleted/ },
    { verb: "delete namespace", command: "delete namespace $NS-x", stdout: "namespace \"$NS-x\" deleted\n", after: [["get namespace $NS-x --ignore-not-found", ""]] }
  ]
}]
