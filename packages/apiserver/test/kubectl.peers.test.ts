/**
 * Real kubectl of several versions against a real port. Needs REDDWARF_PEERS to name a folder with bin/kubectl-<version>.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { eventually, layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"

const versions = ["1.20", "1.32", "1.36"]

const manifest = (image: string) => `apiVersion: v1
kind: Pod
metadata: { name: p1, labels: { app: web } }
spec:
  containers:
  - { name: c, image: "${image}", ports: [{ containerPort: 80 }] }
`

describe.skipIf(peers === undefined)("kubectl (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  for (const version of versions) {
    it.scopedLive.skipIf(isMissing(version))(version, () =>
      Effect.gen(function*() {
        const { file, ok, run, start } = yield* setup(version)
        assert.include(yield* ok("version"), "reddwarf-0.0.0")
        assert.match(yield* ok("api-resources"), /pods\s+po\s+v1\s+true\s+Pod/)
        assert.include(yield* ok("create", "namespace", "demo"), "namespace/demo created")
        assert.include(yield* ok("-n", "demo", "create", "configmap", "cm", "--from-literal=a=b"), "configmap/cm created")
        assert.include(yield* ok("-n", "demo", "create", "secret", "generic", "s", "--from-literal=a=b"), "secret/s created")
        assert.include(yield* ok("-n", "demo", "create", "serviceaccount", "sa"), "serviceaccount/sa created")
        assert.match(yield* ok("get", "configmaps", "-A"), /demo\s+cm\s+1/)

        assert.include(yield* ok("apply", "-f", file("pod.yaml", manifest("nginx:1"))), "pod/p1 created")
        assert.match(yield* ok("get", "pods", "-o", "wide"), /p1\s+0\/1\s+Pending\s+0/)
        assert.include(yield* ok("apply", "-f", file("pod.yaml", manifest("nginx:1"))), "pod/p1 unchanged")
        assert.include(yield* ok("apply", "-f", file("pod.yaml", manifest("nginx:2"))), "pod/p1 configured")
        assert.strictEqual(yield* ok("get", "pod", "p1", "-o", "jsonpath={.spec.containers[0].image}"), "nginx:2")
        assert.include(yield* ok("describe", "pod", "p1"), "Events:")
        assert.include(yield* ok("label", "pod", "p1", "tier=front"), "pod/p1 labeled")
        assert.include(yield* ok("annotate", "pod", "p1", "note=x"), "pod/p1 annotated")
        assert.include(yield* ok("get", "pods", "-l", "tier=front"), "p1")
        assert.include(yield* ok("get", "pods", "-l", "tier=back"), "No resources found")
        assert.include(yield* ok("get", "pods", "--field-selector", "spec.nodeName="), "p1")
        assert.include(yield* ok("patch", "pod", "p1", "--type", "merge", "-p", "{\"metadata\":{\"labels\":{\"m\":\"1\"}}}"), "patched")
        assert.include(yield* ok("patch", "pod", "p1", "--type", "json", "-p", "[{\"op\":\"remove\",\"path\":\"/metadata/labels/m\"}]"), "patched")
        assert.include(yield* ok("set", "image", "pod/p1", "c=nginx:3"), "image updated")
        assert.include(yield* ok("explain", "pod.spec.containers"), "containers")

        const watching = start(["get", "pods", "-w"])
        let seen = ""
        watching.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()))
        yield* eventually("the watch has begun", () => seen.includes("p1"))
        yield* ok("label", "pod", "p1", "again=1")
        yield* eventually("the watch has seen the change", () => seen.split("\n").length > 3)
        watching.kill("SIGKILL")

        yield* ok("create", "-f", file("node.yaml", "apiVersion: v1\nkind: Node\nmetadata: { name: n1 }\n"))
        assert.include(yield* ok("cordon", "n1"), "node/n1 cordoned")
        assert.include(yield* ok("get", "nodes"), "SchedulingDisabled")
        assert.include(yield* ok("uncordon", "n1"), "node/n1 uncordoned")
        assert.include(yield* ok("taint", "nodes", "n1", "k=v:NoSchedule"), "node/n1 tainted")
        assert.include(yield* ok("describe", "node", "n1"), "k=v:NoSchedule")
        assert.include(yield* ok("drain", "n1", "--ignore-daemonsets", "--force"), "n1")

        const bad = yield* run("create", "-f", file("bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: Bad_Name }\n"))
        assert.notStrictEqual(bad.code, 0)
        assert.include(bad.out, "is invalid: metadata.name: Invalid value")
        const missingPod = yield* run("get", "pod", "nope")
        assert.include(missingPod.out, "Error from server (NotFound): pods \"nope\" not found")
        assert.include((yield* run("get", "foo")).out, "the server doesn't have a resource type \"foo\"")
        assert.include(yield* ok("delete", "pod", "p1"), "deleted")
        assert.include(yield* ok("get", "pods"), "No resources found")
      }).pipe(Effect.provide(layerServer())), 60_000)
  }
})
