import { HostError, ZoneAdm, ZoneConfig, ZoneConfigDiff, ZoneConfigExport, ZoneName } from "@reddwarf/runtime-illumos"
import { Console, Effect } from "effect"

const zone = ZoneName.make("web")

// What `zonecfg -z web export` printed on the host.
const exported = `create -b
set zonepath=/zones/web
set brand=lx
set autoboot=false
set ip-type=exclusive
add rctl
set name="zone.cpu-cap"
add value (priv=privileged,limit=100,action=deny)
end
add attr
set name="kernel-version"
set type="string"
set value="4.4"
end
`

const program = Effect.gen(function*() {
  const { config, unknown } = yield* ZoneConfigExport.read(zone, exported)
  yield* Console.log(`${config.cappedCpuPercent} percent of a CPU, ${unknown.length} resources not understood`)

  // The least script that makes it what it shall be.
  const wanted: ZoneConfig.ZoneConfig = { ...config, cappedCpuPercent: 150, maxProcesses: 500, attr: [] }
  yield* Console.log(yield* ZoneConfigDiff.script(zone, config, wanted))

  // What another dialect does not know is refused before it becomes a syntax error.
  const weighted = { ...wanted, zfsIoPriority: 10 }
  const refused = yield* Effect.flip(ZoneConfig.render(zone, weighted, { dialect: "gate" }))
  yield* Console.log(refused.message)

  // Texts of the tools become errors that say what to do next.
  const error = ZoneAdm.classify("boot zone", zone, {
    exitCode: 1,
    stdout: "",
    stderr: "zoneadm: zone 'web': another zoneadm may have an operation in progress.\n"
  })
  yield* Console.log(error instanceof HostError.ZoneLocked, error.message)
})

await Effect.runPromise(program)
