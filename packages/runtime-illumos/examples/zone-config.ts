import { LinkName, ZoneConfig, ZoneName } from "@reddwarf/runtime-illumos"
import { Console, Effect } from "effect"

const pod = { namespace: "default", name: "web-0", uid: "0f4ac1d2-1f2c-4e0a-9d0e-0b5f3f7b0a11" }
const zone = ZoneName.zoneNameOf(pod)

const config: ZoneConfig.ZoneConfig = {
  ...ZoneConfig.make(`/zones/${zone}`, "lx"),
  net: [{ physical: LinkName.linkNameOf(pod), allowedAddress: "10.88.0.7/16", defrouter: "10.88.0.1" }],
  attr: [{ name: "reddwarf-uid", type: "string", value: pod.uid }],
  cappedCpuPercent: 150
}

const program = Effect.gen(function*() {
  yield* Console.log(yield* ZoneConfig.render(zone, config))
  // What zonecfg has no way to store is refused before it is called.
  const error = yield* Effect.flip(ZoneConfig.render(zone, { ...config, zonepath: "zones/web" }))
  yield* Console.log(error.message)
})

await Effect.runPromise(program)
