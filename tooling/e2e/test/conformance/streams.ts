import type { Scenario } from "../../src/Conformance.js"
import { pod } from "./manifests.js"

const running = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p1","namespace":"$NS"},"spec":{"containers":[{"name":"main","image":"nginx:1"}]},"status":{"phase":"Running"}}`
const unassigned = "pod p1 does not have a host assigned\n"
const bad = `Error from server (BadRequest): ${unassigned}`
const refused = { "1.20": bad, "1.32": bad, "1.36": `error: unable to upgrade connection: ${unassigned}` }
const refusedAtLast = { "1.20": /Error from server \(BadRequest\): pod p1 does not have a host assigned\n$/, "1.32": /Error from server \(BadRequest\): pod p1 does not have a host assigned\n$/, "1.36": /error: unable to upgrade connection: pod p1 does not have a host assigned\n$/ }
const notUpgraded = /error upgrading connection: (unable to upgrade connection: )?pod p1 does not have a host assigned\n$/

/** Verbs about containers, with a pod that no node runs. The scenarios on the demo have pods that run. */
export const streams: ReadonlyArray<Scenario> = [{
  name: "streams",
  setup: [["create -f -", pod("p1")], ["replace --raw /api/v1/namespaces/$NS/pods/p1/status -f -", running]],
  cases: [
    { verb: "logs", command: "logs p1", stdout: "" },
    { verb: "logs", command: "logs p1 -c none", code: 1, stderr: /container none is not valid for pod p1/ },
    { verb: "logs", command: "logs nope", code: 1, stderr: { "1.20": "Error from server (NotFound): pods \"nope\" not found\n", "1.32": "error: error from server (NotFound): pods \"nope\" not found in namespace \"$NS\"\n", "1.36": "error: error from server (NotFound): pods \"nope\" not found in namespace \"$NS\"\n" } },
    { verb: "exec", command: "exec p1 -- true", code: 1, stderr: refused },
    { verb: "attach", command: "attach p1", code: 1, stderr: refusedAtLast },
    { verb: "cp", command: "cp p1:/etc/hosts $DIR/hosts", code: 1, stderr: refused },
    { verb: "port-forward", command: "port-forward p1 :80", code: 1, stderr: notUpgraded },
    { verb: "debug (adds the container, does not attach)", only: ["1.32", "1.36"], command: "debug p1 --image=busybox:1 --container=dbg", stdout: "", stderr: /^(--profile=legacy is deprecated.*\n)?$/, after: [["get pod p1 -o jsonpath={.spec.ephemeralContainers[*].name}", "dbg"]] },
    { verb: "debug (adds the container, does not attach)", only: ["1.20"], refusedTo: ["1.20"], command: "debug p1 --image=busybox:1 --container=dbg", code: 1, stderr: /no kind "EphemeralContainers" is registered for version "v1"/ }
  ]
}]
