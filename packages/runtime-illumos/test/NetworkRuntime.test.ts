import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"
import type { HostError } from "../src/HostError.js"
import * as LinkName from "../src/LinkName.js"
import * as NetworkRuntime from "../src/NetworkRuntime.js"
import { drive } from "./scriptedHost.js"

const stub = LinkName.make("rdstub0")
const gateway = LinkName.make("rdgw0")
const vnic = LinkName.make("rd_web_0")

/** Links and addresses as dladm and ipadm keep them. */
const host = (options: { busy?: number } = {}) => {
  const links = new Map<string, { linkClass: string; over: string; mac: string; maxbw: string }>()
  const addresses = new Map<string, string>()
  const journal: Array<CommandLine.CommandLine> = []
  let busy = options.busy ?? 0
  let forwarding = "off"
  const no = (stderr: string) => CommandRunner.result({ exitCode: 1, stderr: `${stderr}\n` })
  const out = (rows: ReadonlyArray<string>) => CommandRunner.result({ stdout: rows.map((row) => `${row}\n`).join("") })
  const layer = CommandRunner.layerTest(({ args }) => {
    const name = args.at(-1) ?? ""
    const after = (flag: string) => args[args.indexOf(flag) + 1] ?? ""
    switch (args[0] ?? "") {
      case "show-link":
        return out([...links].map(([link, { linkClass, over }]) => `${link}:${linkClass}:1500:up:${over}`))
      case "show-vnic":
        return out([...links].filter(([, { linkClass }]) => linkClass === "vnic").map(([link, { mac, over }]) =>
          `${link}:${over}:${mac.replaceAll(":", "\\:")}:0`
        ))
      case "create-etherstub":
        if (links.has(name)) return no("dladm: etherstub creation failed: object already exists")
        links.set(name, { linkClass: "etherstub", over: "", mac: "", maxbw: "" })
        return out([])
      case "create-vnic": {
        if (links.has(name)) return no(`dladm: vnic creation over ${after("-l")} failed: object already exists`)
        if (!links.has(after("-l"))) return no(`dladm: invalid link name '${after("-l")}'`)
        const mac = args.includes("-m") ? after("-m").replaceAll(/(^|:)0/g, "$1") : "2:8:20:a:b:c"
        links.set(name, { linkClass: "vnic", over: after("-l"), mac, maxbw: "" })
        return out([])
      }
      case "delete-vnic":
        if (!links.has(name)) return no(`dladm: invalid link name '${name}'`)
        if (busy-- > 0) return no("dladm: vnic deletion failed: link busy")
        links.delete(name)
        return out([])
      case "show-linkprop":
        return out(after("-p").split(",").map((property) =>
          `${name}:${property}:${property === "maxbw" ? (links.get(name)?.maxbw ?? "").padStart(5) : ""}`))
      case "set-linkprop": {
        const link = links.get(name)
        if (link !== undefined) link.maxbw = after("-p").split("=")[1] ?? ""
        return out([])
      }
      case "show-addr":
        return out([...addresses].map(([object, address]) => `${object}:static:ok:${address}`))
      case "create-addr":
        addresses.set(name, after("-a").replace("local=", ""))
        return out([])
      case "delete-addr":
        addresses.delete(name)
        return out([])
      case "show-prop":
        return out([forwarding])
      case "set-prop":
        forwarding = "on"
        return out([])
      default:
        return CommandRunner.result({ exitCode: 2, stderr: "usage" })
    }
  }, journal)
  return {
    links,
    addresses,
    journal,
    changes: () => journal.map(({ args }) => args[0] ?? "").filter((command) => !command.startsWith("show-")),
    use: <A, E>(use: (network: NetworkRuntime.NetworkRuntime["Type"]) => Effect.Effect<A, E>) =>
      drive(Effect.flatMap(NetworkRuntime.NetworkRuntime, use)).pipe(
        Effect.provide(Layer.provide(NetworkRuntime.layer, layer))
      )
  }
}

describe("NetworkRuntime", () => {
  it.effect("makes the pod network once, however often it is asked", () =>
    Effect.gen(function*() {
      const node = host()
      yield* node.use((network) =>
        Effect.repeatN(
          Effect.gen(function*() {
            yield* network.ensureEtherstub(stub)
            yield* network.ensureGateway({ stub, link: gateway, address: "10.88.0.1/16" })
            const made = yield* network.ensureVnic({ name: vnic, over: stub, mac: "02:08:20:00:0a:01" })
            assert.deepStrictEqual(made, { name: vnic, over: stub, mac: "02:08:20:00:0a:01" })
          }),
          2
        ))
      assert.deepStrictEqual(node.changes(), ["create-etherstub", "create-vnic", "create-addr", "set-prop", "create-vnic"])
      assert.deepStrictEqual([...node.addresses], [["rdgw0/v4", "10.88.0.1/16"]])
    }))

  it.effect("replaces the address of a gateway that has another one", () =>
    Effect.gen(function*() {
      const node = host()
      node.addresses.set("rdgw0/v4", "10.1.0.1/16")
      yield* node.use((network) =>
        Effect.zipRight(network.ensureEtherstub(stub), network.ensureGateway({ stub, link: gateway, address: "10.88.0.1/16" })))
      assert.deepStrictEqual([...node.addresses], [["rdgw0/v4", "10.88.0.1/16"]])
    }))

  it.effect("sets a changed bandwidth, and only then", () =>
    Effect.gen(function*() {
      const node = host()
      yield* node.use((network) =>
        Effect.gen(function*() {
          yield* network.ensureEtherstub(stub)
          yield* network.ensureVnic({ name: vnic, over: stub })
          yield* network.ensureVnic({ name: vnic, over: stub, maxbw: 10 })
          yield* network.ensureVnic({ name: vnic, over: stub, maxbw: 10 })
        }))
      assert.deepStrictEqual(node.changes(), ["create-etherstub", "create-vnic", "set-linkprop"])
    }))

  it.effect("does not take over a link that is something else", () =>
    Effect.gen(function*() {
      const node = host()
      node.links.set("net0", { linkClass: "phys", over: "", mac: "", maxbw: "" })
      node.links.set(vnic, { linkClass: "vnic", over: "net0", mac: "2:8:20:1:2:3", maxbw: "" })
      const tag = (use: (network: NetworkRuntime.NetworkRuntime["Type"]) => Effect.Effect<void, HostError>) =>
        Effect.map(Effect.flip(node.use(use)), (error) => error._tag)
      assert.strictEqual(yield* tag((network) => network.ensureEtherstub(LinkName.make("net0"))), "LinkMismatch")
      assert.strictEqual(yield* tag((network) => Effect.asVoid(network.ensureVnic({ name: vnic, over: stub }))), "LinkMismatch")
      assert.strictEqual(yield* tag((network) => Effect.asVoid(network.ensureVnic({ name: LinkName.make("rd_x_0"), over: stub }))), "LinkNotFound")
    }))

  it.effect("deletes a VNIC as soon as the zone lets go of it", () =>
    Effect.gen(function*() {
      const node = host({ busy: 4 })
      node.links.set(vnic, { linkClass: "vnic", over: stub, mac: "2:8:20:1:2:3", maxbw: "" })
      yield* node.use((network) => Effect.zipRight(network.deleteVnic(vnic), network.deleteVnic(vnic)))
      assert.strictEqual(node.links.size, 0)
    }))

  it.effect("gives up on a link that stays busy", () =>
    Effect.gen(function*() {
      const node = host({ busy: 1_000_000 })
      node.links.set(vnic, { linkClass: "vnic", over: stub, mac: "2:8:20:1:2:3", maxbw: "" })
      assert.strictEqual((yield* Effect.flip(node.use((network) => network.deleteVnic(vnic))))._tag, "LinkBusy")
      assert.isBelow(node.journal.length, 30)
    }))

  it.effect("lists the VNICs with a prefix", () =>
    Effect.gen(function*() {
      const node = host()
      for (const name of ["rd_a_0", "rd_b_0", "other0"]) {
        node.links.set(name, { linkClass: "vnic", over: stub, mac: "2:8:20:1:2:3", maxbw: "" })
      }
      const vnics = yield* node.use((network) => network.listVnics(LinkName.podLinkPrefix))
      assert.deepStrictEqual(vnics.map(({ mac, name }) => [name, mac]), [["rd_a_0", "02:08:20:01:02:03"], ["rd_b_0", "02:08:20:01:02:03"]])
    }))
})
