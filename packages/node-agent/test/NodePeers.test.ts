import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { NodeNetwork, NodePeers } from "@reddwarf/node-agent"
import { LinkName, type PodNetwork } from "@reddwarf/runtime-illumos"

const facts: NodeNetwork.Facts = {
  stub: LinkName.make("rdstub0"),
  gatewayLink: LinkName.make("rdgw0"),
  pools: [{ cidr: "10.88.1.0/24", gateway: "10.88.1.1" }],
  outside: []
}

const node = (name: string, spec: CoreV1.NodeSpec, addresses: ReadonlyArray<string>, annotations = {}): CoreV1.Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, annotations },
  spec,
  status: { addresses: [...addresses.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: name }] }
})

const vxlan: PodNetwork.Interconnect = {
  type: "vxlan",
  overlay: LinkName.make("rdovl0"),
  port: LinkName.make("rdport0"),
  vnetid: 4096,
  listenAddress: "192.0.2.11",
  address: "172.30.0.11/24",
  directory: "/var/lib/reddwarf/network"
}

describe("NodePeers", () => {
  it("knows a node by its ranges and internal addresses", () => {
    assert.deepStrictEqual(NodePeers.peerOf(node("n2", { podCIDR: "10.88.2.0/24", podCIDRs: ["10.88.2.0/24", "fd00:88:2::/64"] }, ["192.0.2.12", "2001:db8::12"])), {
      name: "n2",
      ranges: ["10.88.2.0/24", "fd00:88:2::/64"],
      addresses: ["192.0.2.12", "2001:db8::12"]
    })
    assert.deepStrictEqual(NodePeers.peerOf(node("n2", { podCIDR: "10.88.2.0/24" }, ["192.0.2.12"], { [NodePeers.overlayAnnotation]: "172.30.0.12" }))?.overlayAddress, "172.30.0.12")
    assert.isUndefined(NodePeers.peerOf(node("n3", {}, ["192.0.2.13"])))
    assert.isUndefined(NodePeers.peerOf(node("n3", { podCIDR: "10.88.3.0/24" }, [])))
  })

  it("leaves out the nodes that would spoil the network of the others", () => {
    const peer = (name: string, range: string, overlayAddress?: string): PodNetwork.Peer => ({ name, ranges: [range], addresses: ["192.0.2.99"], overlayAddress })
    const candidates = [peer("d", "10.88.4.0/24"), peer("c", "10.88.4.0/24"), peer("b", "10.88.1.128/25"), peer("a", "nonsense"), peer("e", "10.88.5.0/24")]
    const chosen = NodePeers.choose(NodeNetwork.of(facts, {}, undefined), candidates)
    assert.deepStrictEqual(chosen.peers.map(({ name }) => name), ["c", "e"])
    assert.deepStrictEqual(chosen.leftOut.map((text) => text.slice(0, 2)), ["a:", "b:", "d:"])
    assert.include(chosen.leftOut.join("; "), "d: its range 10.88.4.0/24 is that of c")
    const overlay = NodePeers.choose(NodeNetwork.of(facts, { interconnect: vxlan }, undefined), [peer("c", "10.88.4.0/24"), peer("e", "10.88.5.0/24", "172.30.0.15")])
    assert.deepStrictEqual(overlay.peers.map(({ name }) => name), ["e"])
    assert.include(overlay.leftOut[0] ?? "", "c has no address on the overlay")
  })

  it("tells other nodes of this one", () => {
    assert.deepStrictEqual(NodePeers.overlayAnnotations(vxlan), { [NodePeers.overlayAnnotation]: "172.30.0.11" })
    assert.deepStrictEqual(NodePeers.overlayAnnotations(undefined), {})
    assert.deepStrictEqual(NodePeers.rangesOf(["10.88.1.0/24", "fd00::/64"]), { podCIDR: "10.88.1.0/24", podCIDRs: ["10.88.1.0/24", "fd00::/64"] })
    assert.deepStrictEqual(NodePeers.rangesIn(NodePeers.rangesOf(["10.88.1.0/24"])), ["10.88.1.0/24"])
    assert.deepStrictEqual(NodePeers.rangesIn({ podCIDR: "10.88.1.0/24" }), ["10.88.1.0/24"])
  })
})
