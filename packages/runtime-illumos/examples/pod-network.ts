import { LinkName, NatRule, PodNetwork, PodNetworkPlan, type PodNetworkState } from "@reddwarf/runtime-illumos"
import { Console, Effect } from "effect"

const wanted: PodNetwork.PodNetwork = {
  segment: { type: "etherstub", stub: LinkName.make("rdstub0"), gateway: LinkName.make("rdgw0") },
  ranges: [{ cidr: "10.88.1.0/24", gateway: "10.88.1.1" }],
  clusterRanges: ["10.88.0.0/16"],
  egress: { link: LinkName.make("net0") },
  interconnect: { type: "host-gateway" },
  peers: [{ name: "n2", ranges: ["10.88.2.0/24"], addresses: ["192.0.2.12"] }]
}

// What was found: somebody deleted the gateway, and a node has moved.
const found: PodNetworkState.PodNetworkState = {
  links: [{ name: "rdstub0", linkClass: "etherstub", over: "", mtu: 9000, mac: "", zone: "", properties: {} }],
  overlays: [],
  interfaces: ["lo0", "net0"],
  addresses: [{ object: "net0/v4", type: "static", state: "ok", address: "192.0.2.10/24" }],
  forwarding: { ipv4: true, ipv6: false },
  routes: [{ destination: "10.88.2.0/24", gateway: "192.0.2.99", interface: "", flags: "UG" }],
  rules: PodNetwork.natRules(wanted).map((rule) => ({ text: NatRule.canonical(rule), rule })),
  filterService: "online",
  targets: undefined
}

const program = Effect.gen(function*() {
  const network = yield* PodNetwork.check(wanted)
  for (const step of PodNetworkPlan.make(network, found).steps) yield* Console.log(PodNetworkPlan.describe(step))
})

await Effect.runPromise(program)
