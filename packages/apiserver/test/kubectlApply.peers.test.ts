/** Real kubectl applying on the server. Needs REDDWARF_PEERS to name a folder with bin/kubectl-<version>. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"

const versions = ["1.20", "1.32", "1.36"]

const configMap = (data: string) => `apiVersion: v1
kind: ConfigMap
metadata: { name: cm }
data: { ${data} }
`

const service = (ports: string) => `apiVersion: v1
kind: Service
metadata: { name: svc, labels: { app: web } }
spec:
  selector: { app: web }
  ports: [${ports}]
`

describe.skipIf(peers === undefined)("kubectl apply --server-side (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  for (const version of versions) {
    it.scopedLive.skipIf(isMissing(version))(version, () =>
      Effect.gen(function*() {
        const { file, ok, run } = yield* setup(version)
        const data = () => ok("get", "configmap", "cm", "-o", "jsonpath={.data}")
        const entries = (name: string) => ok("get", name, "-o", "jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation} {end}")

        assert.include(yield* ok("apply", "--server-side", "-f", file("a.yaml", configMap("a: '1', b: '1'"))), "configmap/cm serverside-applied")
        assert.include(yield* ok("apply", "--server-side", "-f", file("a.yaml", configMap("a: '2'"))), "configmap/cm serverside-applied")
        assert.strictEqual(yield* data(), "{\"a\":\"2\"}")

        const refused = yield* run("apply", "--server-side", "--field-manager=other", "-f", file("b.yaml", configMap("a: '3'")))
        assert.notStrictEqual(refused.code, 0)
        assert.include(refused.out, "Apply failed with 1 conflict: conflict with \"kubectl\": .data.a")
        yield* ok("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", file("b.yaml", configMap("a: '3'")))
        assert.strictEqual(yield* data(), "{\"a\":\"3\"}")

        const diff = yield* run("diff", "--server-side", "--field-manager=other", "-f", file("c.yaml", configMap("a: '4'")))
        assert.strictEqual(diff.code, 1, diff.out)
        assert.match(diff.out, /-\s+a: "3"\n\+\s+a: "4"/)
        assert.strictEqual((yield* run("diff", "--server-side", "--field-manager=other", "-f", file("b.yaml", configMap("a: '3'")))).code, 0)
        yield* ok("apply", "--server-side", "--dry-run=server", "--field-manager=other", "-f", file("c.yaml", configMap("a: '4'")))
        assert.strictEqual(yield* data(), "{\"a\":\"3\"}")

        // An object that kubectl merged by itself so far.
        yield* ok("apply", "-f", file("s.yaml", service("{ port: 80 }")))
        yield* ok("apply", "--server-side", "-f", file("s.yaml", service("{ port: 80 }, { name: tls, port: 443 }").replace("{ port: 80 }", "{ name: http, port: 80 }")))
        assert.strictEqual(yield* ok("get", "service", "svc", "-o", "jsonpath={.spec.ports[*].port}"), "80 443")
        assert.include(yield* entries("service/svc"), "kubectl/Apply")
        // Older ones leave what they merged by themselves to the manager that they had then.
        if (version === "1.20") return
        yield* ok("apply", "--server-side", "-f", file("s.yaml", service("{ name: tls, port: 443 }")))
        assert.strictEqual(yield* ok("get", "service", "svc", "-o", "jsonpath={.spec.ports[*].port}"), "443")
        // And back: the annotation was kept up to date.
        assert.include(yield* ok("apply", "-f", file("s.yaml", service("{ name: tls, port: 443 }"))), "service/svc")
      }).pipe(Effect.provide(layerServer())), 60_000)
  }
})
