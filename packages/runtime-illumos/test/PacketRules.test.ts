import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck as fc } from "effect"
import type * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"
import * as FilterRule from "../src/FilterRule.js"
import * as cidr from "../src/internal/cidr.js"
import * as IpFilter from "../src/IpFilter.js"
import * as IpNat from "../src/IpNat.js"
import * as NatRule from "../src/NatRule.js"

const net4 = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 })).map(([address, length]) => cidr.canonical(`${address}/${length}`))
const portNumber = fc.integer({ min: 1, max: 65_535 })
const portProtocol = fc.constantFrom("tcp" as const, "udp" as const, "tcp/udp" as const)
const range = fc.tuple(portNumber, portNumber).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
const natRule: fc.Arbitrary<NatRule.NatRule> = fc.oneof(
  fc.record({
    type: fc.constant("map" as const),
    link: fc.constantFrom("net0", "rdgw0"),
    from: net4,
    to: fc.record({ network: net4, not: fc.constant(true) }),
    target: fc.constantFrom("0.0.0.0/32", "192.0.2.1/32"),
    ports: fc.record({ protocol: portProtocol, range: fc.oneof(fc.constant("auto" as const), range) })
  }, { requiredKeys: ["type", "link", "from", "target"] }),
  fc.record({ type: fc.constant("bimap" as const), link: fc.constant("net0"), from: net4, target: net4 }),
  fc.record({ type: fc.constant("map-block" as const), link: fc.constant("net0"), from: net4, target: net4, ports: fc.constantFrom("auto" as const, 64) }),
  fc.record({
    type: fc.constant("rdr" as const),
    link: fc.constant("rdgw0"),
    to: net4,
    port: portNumber,
    targets: fc.oneof(fc.tuple(fc.ipV4()), fc.tuple(fc.ipV4(), fc.ipV4())),
    targetPort: portNumber,
    protocol: portProtocol,
    from: net4,
    roundRobin: fc.constant(true),
    sticky: fc.constant(true)
  }, { requiredKeys: ["type", "link", "to", "port", "targets", "targetPort", "protocol"] })
)

describe("NAT rules", () => {
  it.prop("a listed rule is the rule that was written", [natRule], ([rule]) => {
    assert.deepStrictEqual(Either.map(NatRule.render(rule), NatRule.parse), Either.right(rule))
  })
  it("writes what the man page shows", () => {
    const pods = { type: "map", link: "net0", from: "10.88.0.0/16", to: { network: "10.88.0.0/16", not: true }, target: NatRule.linkAddress } as const
    assert.deepStrictEqual(
      NatRule.render({ ...pods, ports: { protocol: "tcp/udp", range: [20_000, 39_999] } }),
      Either.right("map net0 from 10.88.0.0/16 ! to 10.88.0.0/16 -> 0.0.0.0/32 portmap tcp/udp 20000:39999")
    )
    assert.deepStrictEqual(
      NatRule.render({ type: "rdr", link: "rdgw0", to: "10.96.0.10/32", port: 80, targets: ["10.88.0.11"], targetPort: 8080, protocol: "tcp", roundRobin: true }),
      Either.right("rdr rdgw0 10.96.0.10/32 port 80 -> 10.88.0.11 port 8080 tcp round-robin")
    )
  })
  it.each<[string, NatRule.NatRule]>([
    ["not a network", { type: "map", link: "net0", from: "10.88.0.0", target: "0/32" }],
    ["not the name of a link", { type: "map", link: "net0 ", from: "10.88.0.0/16", target: "0/32" }],
    ["IPv4 address", { type: "map", link: "net0", from: "fd00::/64", target: "0/32" }],
    ["not a range", { type: "map", link: "net0", from: "10.88.0.0/16", target: "0/32", ports: { protocol: "tcp", range: [9, 5] } }],
    ["need each other", { type: "rdr", link: "net0", to: "10.0.0.1/32", port: 80, targets: ["10.88.0.1"], protocol: "tcp" }],
    ["dropped", { type: "rdr", link: "net0", to: "10.0.0.1/32", port: 80, targets: ["10.88.0.1"], targetPort: 80, protocol: 132 }],
    ["not a port", { type: "rdr", link: "net0", to: "10.0.0.1/32", port: 80, targets: ["10.88.0.1"], targetPort: 99_999, protocol: "tcp" }],
    ["not an address", { type: "rdr", link: "net0", to: "10.0.0.1/32", port: 80, targets: ["web"], targetPort: 80, protocol: "tcp" }]
  ])("refuses what ipnat would take for something else: %s", (reason, rule) => {
    assert.include(Either.match(NatRule.render(rule), { onLeft: (error) => error.message, onRight: () => "" }), reason)
  })
  it("reads rules and sessions", () => {
    const listing = IpNat.parseListing([
      "List of active MAP/Redirect filters:",
      "map net0 10.88.0.0/16 -> 0.0.0.0/32 portmap tcp/udp 20000:39999",
      "map net0 10.0.0.0/8 -> 0.0.0.0/32 proxy port ftp ftp/tcp",
      "",
      "List of active sessions:",
      "RDR 10.88.0.11      8080  <- -> 10.96.0.10      80    [10.88.0.20 41234]"
    ].join("\n"))
    assert.deepStrictEqual(listing.rules.map((rule) => rule.rule?.type), ["map", undefined])
    assert.deepStrictEqual(listing.sessions, [
      { type: "RDR", inside: "10.88.0.11", insidePort: 8080, outside: "10.96.0.10", outsidePort: 80, peer: "10.88.0.20", peerPort: 41_234 }
    ])
  })
})

/** ipnat over a list of rules, which may refuse or lose some of them. */
const natHost = (start: ReadonlyArray<string>, options: { readonly swallow?: RegExp; readonly failOnce?: RegExp } = {}) => {
  let rules = [...start]
  let failing = options.failOnce
  const journal: Array<CommandLine.CommandLine> = []
  const layer = CommandRunner.layerTest(({ args, stdin = "" }) => {
    const lines = stdin.split("\n").filter((line) => line !== "")
    if (args[0] === "-lR") {
      return CommandRunner.result({ stdout: ["List of active MAP/Redirect filters:", ...rules, "", "List of active sessions:", ""].join("\n") })
    }
    if (args[0] === "-n") return CommandRunner.result()
    if (args[0] === "-r") rules = rules.filter((rule) => !lines.includes(rule))
    else {
      if (failing !== undefined && lines.some((line) => failing?.test(line) === true)) {
        failing = undefined
        return CommandRunner.result({ exitCode: 1, stderr: "syntax error error at \"x\", line 1\n" })
      }
      rules.push(...lines.filter((line) => options.swallow?.test(line) !== true))
    }
    return CommandRunner.result()
  }, journal)
  const replace = (wanted: ReadonlyArray<NatRule.NatRule>) =>
    Effect.flatMap(CommandRunner.CommandRunner, (runner) =>
      IpNat.make(runner).replace(({ text }) => text.includes("10.88."), wanted)).pipe(Effect.provide(layer))
  return { rules: () => rules, journal, replace }
}

describe("replacing NAT rules", () => {
  const foreign = ["map net0 172.16.0.0/12 -> 0.0.0.0/32", "rdr net0 192.0.2.1/32 port 80 -> 172.16.0.9 port 80 tcp"]
  const wanted = (target: string): ReadonlyArray<NatRule.NatRule> => [
    { type: "map", link: "net0", from: "10.88.0.0/16", target, ports: { protocol: "tcp/udp", range: "auto" } },
    { type: "map", link: "net0", from: "10.88.0.0/16", target }
  ]
  const old = ["map net0 10.88.0.0/16 -> 192.0.2.7/32 portmap tcp/udp auto", "map net0 10.88.0.0/16 -> 192.0.2.7/32"]
  const fresh = ["map net0 10.88.0.0/16 -> 0.0.0.0/32 portmap tcp/udp auto", "map net0 10.88.0.0/16 -> 0.0.0.0/32"]

  it.effect("changes ours, keeps the others, and does nothing the second time", () =>
    Effect.gen(function*() {
      const host = natHost([foreign[0] ?? "", ...old, foreign[1] ?? ""])
      yield* host.replace(wanted("0/32"))
      assert.deepStrictEqual(host.rules(), [...foreign, ...fresh])
      const commands = host.journal.length
      assert.deepStrictEqual(yield* host.replace(wanted("0/32")), { removed: [], added: [] })
      assert.deepStrictEqual(host.journal.slice(commands).map(({ args }) => args[0]), ["-lR"])
    }))
  it.effect("makes all of them again when the order would be wrong", () =>
    Effect.gen(function*() {
      const host = natHost([fresh[1] ?? ""])
      yield* host.replace(wanted("0/32"))
      assert.deepStrictEqual(host.rules(), fresh)
    }))
  it.effect("puts the old rules back when a new one does not arrive, though the tool says nothing", () =>
    Effect.gen(function*() {
      const host = natHost([...foreign, ...old], { swallow: /0\.0\.0\.0\/32$/ })
      const error = yield* Effect.flip(host.replace(wanted("0/32")))
      assert.strictEqual(error._tag, "RulesNotReplaced")
      assert.isTrue(error._tag === "RulesNotReplaced" && error.rolledBack)
      assert.deepStrictEqual(host.rules(), [...foreign, ...old])
    }))
  it.effect("puts the old rules back when the tool stops in the middle", () =>
    Effect.gen(function*() {
      const host = natHost([...foreign, ...old], { failOnce: /10\.88/ })
      const error = yield* Effect.flip(host.replace(wanted("0/32")))
      assert.isTrue(error._tag === "RulesNotReplaced" && error.rolledBack)
      assert.deepStrictEqual(host.rules(), [...foreign, ...old])
    }))
  it.effect("loads nothing of a rule that cannot be written", () =>
    Effect.gen(function*() {
      const host = natHost(old)
      const error = yield* Effect.flip(host.replace([{ type: "map", link: "net0", from: "pods", target: "0/32" }]))
      assert.strictEqual(error._tag, "NetworkSettingRejected")
      assert.deepStrictEqual(host.journal, [])
    }))
})

describe("filter rules", () => {
  const side = fc.record({ network: net4, port: portNumber }, { requiredKeys: ["network"] })
  const rule: fc.Arbitrary<FilterRule.FilterRule> = fc.record({
    action: fc.constantFrom("pass" as const, "block" as const),
    direction: fc.constantFrom("in" as const, "out" as const),
    protocol: portProtocol,
    from: side,
    quick: fc.constant(true),
    link: fc.constant("rdgw0"),
    to: side,
    keepState: fc.constant(true)
  }, { requiredKeys: ["action", "direction", "protocol", "from"] })
  it.prop("a listed rule is the rule that was written", [rule], ([written]) => {
    assert.deepStrictEqual(Either.map(FilterRule.render(written), FilterRule.parse), Either.right(written))
  })
  it("reads a list, also an empty one", () => {
    assert.deepStrictEqual(IpFilter.parseListing("empty list for ipfilter(out)\nempty list for ipfilter(in)\n"), [])
    assert.deepStrictEqual(
      IpFilter.parseListing("pass in quick on rdgw0 from 10.88.0.11/32 to any keep state\nblock in all\npass in log first from any to any\n")
        .map(({ rule: read }) => read?.action),
      ["pass", "block", undefined]
    )
  })
})
