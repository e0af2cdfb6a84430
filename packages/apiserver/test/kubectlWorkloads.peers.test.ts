/** Workloads and storage as `kubectl` of several versions makes and shows them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"

const versions = ["1.20", "1.32", "1.36"]

const pod = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "c", image: "nginx:1.27" }] } }
const selector = { matchLabels: { app: "x" } }
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } }

const manifests = {
  apiVersion: "v1",
  kind: "List",
  items: [
    { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "db" }, spec: { serviceName: "db", selector, template: pod, volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claim }] } },
    { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "agent" }, spec: { selector, template: pod } },
    { apiVersion: "v1", kind: "ReplicationController", metadata: { name: "old" }, spec: { template: pod } },
    { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data" }, spec: claim },
    { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "disk" }, spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } } },
    { apiVersion: "v1", kind: "LimitRange", metadata: { name: "bounds" }, spec: { limits: [{ type: "Container", max: { cpu: "2" } }] } },
    { apiVersion: "v1", kind: "PodTemplate", metadata: { name: "alone" }, template: pod }
  ]
}

describe.skipIf(peers === undefined)("kubectl (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  for (const version of versions) {
    it.scopedLive.skipIf(isMissing(version))(version, () =>
      Effect.gen(function*() {
        const { file, run: outcome } = yield* setup(version)
        const run = (...args: ReadonlyArray<string>) => Effect.map(outcome(...args), ({ out }) => out.trim())
        const cells = (output: string) => output.split("\n").map((line) => line.replaceAll(/ {2,}/g, "|").replaceAll(/\d+s/g, "#s"))

        assert.strictEqual(yield* run("create", "deployment", "web", "--image=nginx:1.27", "--replicas=3"), "deployment.apps/web created")
        assert.deepStrictEqual(cells(yield* run("get", "deployment", "web", "-o", "wide")), [
          "NAME|READY|UP-TO-DATE|AVAILABLE|AGE|CONTAINERS|IMAGES|SELECTOR",
          "web|0/3|0|0|#s|nginx|nginx:1.27|app=web"
        ])
        assert.strictEqual(yield* run("set", "image", "deployment/web", "nginx=nginx:1.28"), "deployment.apps/web image updated")
        assert.strictEqual(yield* run("get", "deployment", "web", "-o", "jsonpath={.metadata.generation} {.spec.template.spec.containers[0].image}"), "2 nginx:1.28")
        assert.strictEqual(yield* run("scale", "deployment/web", "--replicas=1"), "deployment.apps/web scaled")
        assert.strictEqual(yield* run("create", "job", "pi", "--image=perl:5"), "job.batch/pi created")
        assert.strictEqual((yield* run("get", "job", "pi", "--no-headers")).replaceAll(/ +\S+$/g, "").replaceAll(/ {2,}/g, "|"), "pi|Running|0/1")
        // The oldest one knows only versions of the group that are no longer served.
        if (version !== "1.20") {
          assert.strictEqual(yield* run("create", "cronjob", "tick", "--image=busybox:1", "--schedule=*/5 * * * *"), "cronjob.batch/tick created")
          assert.strictEqual(yield* run("create", "job", "now", "--from=cronjob/tick"), "job.batch/now created")
          assert.include(yield* run("create", "cronjob", "bad", "--image=busybox:1", "--schedule=x"), `spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]`)
        }
        assert.strictEqual(yield* run("create", "quota", "few", "--hard=pods=2"), "resourcequota/few created")

        const all = file("all.json", JSON.stringify(manifests))
        const created = ["statefulset.apps/db", "daemonset.apps/agent", "replicationcontroller/old", "persistentvolumeclaim/data", "persistentvolume/disk", "limitrange/bounds", "podtemplate/alone"]
        assert.deepStrictEqual((yield* run("apply", "-f", all)).split("\n"), created.map((name) => `${name} created`))
        // Lists that are replaced as a whole always differ from what was applied, once they are defaulted.
        const again = (name: string) => (name === "statefulset.apps/db" || name === "limitrange/bounds" ? "configured" : "unchanged")
        assert.deepStrictEqual((yield* run("apply", "-f", all)).split("\n"), created.map((name) => `${name} ${again(name)}`))
        assert.deepStrictEqual(cells(yield* run("get", "pvc,pv")).filter((line) => line.startsWith("persistent")), [
          "persistentvolumeclaim/data|Pending|<unset>|#s",
          "persistentvolume/disk|1Gi|RWO|Retain|Pending|<unset>|#s"
        ])
        assert.include(yield* run("get", "all"), "statefulset.apps/db")
        assert.include(yield* run("describe", "deployment", "web"), "RollingUpdateStrategy:  25% max unavailable, 25% max surge")
      }).pipe(Effect.provide(layerServer())), 90_000)
  }
})
