import { CommandLine } from "@reddwarf/runtime-illumos"
import { DatasetName, ZfsCommands, ZfsOutput } from "@reddwarf/storage-zfs"
import { Console, Effect } from "effect"

const dataset = DatasetName.make("rpool/reddwarf/zones/web-1")

const program = Effect.gen(function*() {
  const create = ZfsCommands.create(dataset, { quota: "10G", "reddwarf:uid": "5b0a" })
  yield* Console.log(CommandLine.format(create))

  const printed = "rpool/reddwarf/zones/web-1\tquota\t10737418240\tlocal\n"
  const quota = ZfsOutput.parseProperties(printed).get(dataset)?.get("quota")
  yield* Console.log(`quota ${quota?.value} (${quota?.source})`)

  // Names ZFS would accept but no script survives are refused before a command exists.
  yield* Console.log(`safe name: ${DatasetName.is("rpool/../etc")}`)
})

await Effect.runPromise(program)
