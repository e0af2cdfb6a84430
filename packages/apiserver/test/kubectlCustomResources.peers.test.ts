/** Real kubectl of several versions with a definition of several hundred kilobytes. Needs REDDWARF_PEERS (bin/kubectl-<version>). */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"
import { largeDefinition } from "./support/largeDefinition.js"

const versions = ["1.20", "1.32", "1.36"]

const issuer = (email: string, more = "") => `apiVersion: large.example.com/v1
kind: Issuer
metadata: { name: main }
spec:
  email: ${email}
${more}`

describe.skipIf(peers === undefined)("kubectl and custom resources (skipped unless REDDWARF_PEERS is set)", () => {
  for (const version of versions) {
    it.scopedLive.skipIf(isMissing(version))(version, () =>
      Effect.gen(function*() {
        const { file, ok, run } = yield* setup(version)
        const text = JSON.stringify(largeDefinition)
        assert.isAbove(text.length, 500_000)
        const path = file("definition.json", text)
        assert.include(yield* ok("create", "-f", path), "customresourcedefinition.apiextensions.k8s.io/issuers.large.example.com created")
        assert.include(yield* ok("wait", "--for=condition=Established", "crd/issuers.large.example.com", "--timeout=10s"), "condition met")
        assert.match(yield* ok("get", "crd"), /issuers\.large\.example\.com\s+20/)
        assert.match(yield* ok("api-resources", "--api-group", "large.example.com"), /issuers\s+iss\s+large\.example\.com\/v1\s+true\s+Issuer/)
        assert.include(yield* ok("explain", "issuer.spec"), "What the issuer shall do.")
        assert.include(yield* ok("explain", "issuer.spec.acme.field1"), "field0")

        assert.include(yield* ok("apply", "-f", file("main.yaml", issuer("a@example.com"))), "issuer.large.example.com/main created")
        assert.match(yield* ok("get", "iss"), /NAME\s+READY\s+REPLICAS\s+AGE\nmain\s+(<none>)?\s+1\s+/)
        assert.match(yield* ok("get", "large", "-o", "wide"), /a@example\.com/)
        assert.include(yield* ok("apply", "-f", file("main.yaml", issuer("a@example.com"))), "unchanged")
        assert.include(yield* ok("apply", "-f", file("main.yaml", issuer("b@example.com", "  replicas: 4\n"))), "configured")
        assert.strictEqual(yield* ok("get", "iss", "main", "-o", "jsonpath={.spec.email}/{.metadata.generation}"), "b@example.com/2")
        assert.include(yield* ok("scale", "iss/main", "--replicas=3"), "scaled")
        assert.match(yield* ok("describe", "iss", "main"), /Replicas:\s+3/)
        assert.include(yield* ok("label", "iss", "main", "a=b"), "labeled")
        const bad = yield* run("apply", "-f", file("bad.yaml", issuer("nobody", "  replicas: 11\n")))
        assert.include(bad.out, "spec.email in body should match '^[^@]+@[^@]+$'")
        const rule = yield* run("patch", "iss", "main", "--type", "merge", "-p", `{"spec":{"replicas":11}}`)
        assert.include(rule.out, "no more than ten")
        const unknown = yield* run("create", "-f", file("unknown.yaml", issuer("c@example.com", "  nonsense: true\n").replace("main", "other")))
        assert.match(unknown.out, /nonsense/)
        if (version !== "1.20") {
          assert.include(yield* ok("apply", "--server-side", "--force-conflicts", "-f", file("main.yaml", issuer("d@example.com"))), "serverside-applied")
          assert.include(yield* ok("patch", "iss", "main", "--subresource=status", "--type", "merge", "-p", `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`), "patched")
          assert.match(yield* ok("get", "iss", "main"), /main\s+True/)
          assert.include(yield* ok("wait", "--for=condition=Ready", "iss/main", "--timeout=10s"), "condition met")
        }
        assert.include(yield* ok("delete", "crd", "issuers.large.example.com"), "deleted")
        assert.notStrictEqual((yield* run("get", "iss")).code, 0)
      }).pipe(Effect.provide(layerServer())), 90_000)
  }
})
