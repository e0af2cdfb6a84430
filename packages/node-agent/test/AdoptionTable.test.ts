import { assert, describe, it } from "@effect/vitest"
import { AdoptionTable } from "@reddwarf/node-agent"

const wanted: AdoptionTable.Wanted = { stopped: false, over: false, remembered: false }
const row = (changes: Partial<AdoptionTable.Row>): AdoptionTable.Row => ({
  zone: { state: "running", since: 0 },
  tag: "ours",
  duplicate: false,
  wanted,
  synced: true,
  held: undefined,
  rebooted: false,
  adopted: false,
  ...changes
})
const zone = (state: NonNullable<AdoptionTable.Row["zone"]>["state"], since = 0) => ({ state, since })

/** One line of the table: what is found, what is done, and whether the pod is worked on. */
const table: ReadonlyArray<readonly [string, Partial<AdoptionTable.Row>, AdoptionTable.Decision["action"], boolean]> = [
  ["running and wanted", {}, { type: "Adopted" }, true],
  ["running and wanted, adopted before", { adopted: true }, { type: "NoOp" }, true],
  ["running, its source not heard", { wanted: undefined, synced: false }, { type: "Skipped", reason: "notSynced" }, false],
  ["running, ours, wanted by nobody", { wanted: undefined }, { type: "Removed" }, true],
  ["running, wanted by nobody, not believed yet", { wanted: undefined, held: "ShrunkList" }, { type: "Skipped", reason: "held" }, true],
  ["running without a tag", { tag: "none", wanted: undefined }, { type: "Skipped", reason: "unmanaged" }, false],
  ["running, of another cluster", { tag: "foreign", wanted: undefined }, { type: "Skipped", reason: "foreign" }, false],
  ["attributes cannot be read", { tag: "unreadable", wanted: undefined }, { type: "Quarantined", reason: "its attributes cannot be read" }, false],
  ["two zones claim one uid", { duplicate: true }, { type: "Quarantined", reason: "another zone claims the same pod" }, false],
  ["running, to be stopped", { wanted: { ...wanted, stopped: true } }, { type: "Stopped" }, true],
  ["running, its pod over", { wanted: { ...wanted, over: true } }, { type: "Removed" }, true],
  ["installed and wanted", { zone: zone("installed") }, { type: "Restarted", reason: "its zone was halted" }, true],
  ["installed and wanted after a boot", { zone: zone("installed"), rebooted: true }, { type: "Restarted", reason: "the host was booted" }, true],
  ["installed, stopped by a user", { zone: zone("installed"), wanted: { ...wanted, stopped: true } }, { type: "Skipped", reason: "userStopped" }, false],
  ["installed, its pod over", { zone: zone("installed"), wanted: { ...wanted, over: true } }, { type: "Removed" }, true],
  ["ready", { zone: zone("ready") }, { type: "Restarted", reason: "its zone was ready" }, true],
  ["shutting down", { zone: zone("shutting_down", 119_000) }, { type: "Restarted", reason: "its zone was shutting_down" }, true],
  ["down", { zone: zone("down") }, { type: "Restarted", reason: "its zone was down" }, true],
  ["mounted", { zone: zone("mounted") }, { type: "Skipped", reason: "mounted" }, false],
  ["mounted, wanted by nobody", { zone: zone("mounted"), wanted: undefined }, { type: "Skipped", reason: "mounted" }, false],
  ["incomplete", { zone: zone("incomplete") }, { type: "Recreated", reason: "its installation was not complete" }, true],
  ["configured", { zone: zone("configured") }, { type: "Started" }, true],
  ["absent and wanted", { zone: undefined }, { type: "Started" }, true],
  ["absent, wanted by a record alone", { zone: undefined, synced: false, wanted: { ...wanted, remembered: true } }, { type: "Skipped", reason: "notSynced" }, false],
  ["halted, ours, wanted by nobody", { zone: zone("installed"), wanted: undefined }, { type: "Removed" }, true],
  ["halted, its source not heard", { zone: zone("installed"), wanted: undefined, synced: false }, { type: "Skipped", reason: "notSynced" }, false],
  ["halted, wanted by a record alone", { zone: zone("installed"), synced: false, wanted: { ...wanted, remembered: true } }, { type: "Restarted", reason: "its zone was halted" }, true]
]

describe("AdoptionTable", () => {
  it.each(table)("%s", (_, changes, action, work) => {
    const decision = AdoptionTable.decide(row(changes))
    assert.deepStrictEqual(decision.action, action)
    assert.strictEqual(decision.work, work)
  })

  it("never works on a zone that is not ours, in any state and whatever is wanted", () => {
    const states = ["configured", "incomplete", "installed", "ready", "mounted", "running", "shutting_down", "down", "transient"] as const
    for (const tag of ["none", "foreign", "unreadable"] as const) {
      for (const state of states) {
        for (const synced of [true, false]) {
          for (const wish of [wanted, undefined]) {
            assert.isFalse(AdoptionTable.decide(row({ tag, zone: zone(state, 1e9), synced, wanted: wish })).work)
          }
        }
      }
    }
  })

  it("never removes, stops or creates while the source has not been heard", () => {
    const states = ["configured", "incomplete", "installed", "ready", "mounted", "running", "shutting_down", "down", "transient"] as const
    for (const state of [undefined, ...states]) {
      const decision = AdoptionTable.decide(row({ zone: state === undefined ? undefined : zone(state), synced: false, wanted: undefined }))
      assert.isFalse(decision.work)
    }
  })

  it("shows a zone that does not leave its state", () => {
    assert.strictEqual(AdoptionTable.decide(row({ zone: zone("shutting_down", 121_000) })).stuck, "shutting_down for 121 s")
    assert.isUndefined(AdoptionTable.decide(row({ zone: zone("shutting_down", 119_000) })).stuck)
    assert.strictEqual(AdoptionTable.decide(row({ zone: zone("mounted", 660_000) })).stuck, "mounted for 11 min")
    assert.isUndefined(AdoptionTable.decide(row({ zone: zone("mounted", 599_000) })).stuck)
  })
})
