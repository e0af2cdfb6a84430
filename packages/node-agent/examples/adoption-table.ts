import { AdoptionTable } from "@reddwarf/node-agent"
import { Console, Effect } from "effect"

/** What an agent does about a running zone of its own, by what is known of its pod. */
const running: AdoptionTable.Row = {
  zone: { state: "running", since: 0 },
  tag: "ours",
  duplicate: false,
  wanted: { stopped: false, over: false, remembered: false },
  synced: true,
  held: undefined,
  rebooted: false,
  adopted: false
}

const rows: ReadonlyArray<readonly [what: string, row: AdoptionTable.Row]> = [
  ["wanted", running],
  ["wanted by nobody", { ...running, wanted: undefined }],
  ["wanted by nobody, but the API was not heard yet", { ...running, wanted: undefined, synced: false }],
  ["of another cluster", { ...running, tag: "foreign", wanted: undefined }]
]

await Effect.runPromise(Effect.forEach(rows, ([what, row]) => {
  const { action, work } = AdoptionTable.decide(row)
  return Console.log(`${what}: ${action.type}${work ? "" : ", not touched"}`)
}))
