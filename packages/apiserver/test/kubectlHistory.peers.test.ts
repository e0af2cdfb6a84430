/** Real kubectl of several versions reads histories. Needs REDDWARF_PEERS to name a folder with bin/kubectl-<version>. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"

describe.skipIf(peers === undefined)("kubectl (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  for (const version of ["1.20", "1.32", "1.36"]) {
    it.scopedLive.skipIf(isMissing(version))(`${version} shows histories`, () =>
      Effect.gen(function*() {
        const { ok, run } = yield* setup(version)
        yield* ok("create", "configmap", "settings", "--from-literal=color=red")
        yield* ok("patch", "configmap", "settings", "--type", "merge", "-p", "{\"data\":{\"color\":\"blue\"}}")
        yield* ok("delete", "configmap", "settings")
        assert.match(yield* ok("api-resources", "--api-group", "history.reddwarf.io"), /objecthistories\s+history\s+history.reddwarf.io\/v1alpha1\s+true\s+ObjectHistory/)
        assert.match(yield* ok("get", "objecthistories"), /NAME\s+VERSIONS\s+LAST-VERB\s+LAST-USER\s+AGE\s+EXISTS\nconfigmaps:settings\s+3\s+delete\s+kubernetes-admin\s+\S+\s+false\n/)
        assert.match(yield* ok("get", "history", "-A"), /default\s+configmaps:settings\s+3/)
        const shown = (yield* ok("get", "history", "configmaps:settings")).trimEnd().split("\n")
        assert.match(shown[0] ?? "", /^REVISION\s+VERB\s+USER\s+MANAGER\s+AGE\s+CHANGED\s*$/)
        assert.match(shown[2] ?? "", /^\d+\s+patch\s+kubernetes-admin\s+kubectl\S*\s+\S+\s+data\.color\s*$/)
        assert.strictEqual(shown.length, 4)
        assert.strictEqual(yield* ok("get", "history", "configmaps:settings", "-o", "jsonpath={.versions[0].object.data.color}"), "red")
        assert.include(yield* ok("get", "history", "configmaps:settings", "-o", "yaml"), "kind: ObjectHistory")
        assert.notStrictEqual((yield* run("delete", "history", "configmaps:settings")).code, 0)
      }).pipe(Effect.provide(layerServer())), { timeout: 60_000 })
  }
})
