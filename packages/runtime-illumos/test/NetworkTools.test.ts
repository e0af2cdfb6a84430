import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import * as CommandRunner from "../src/CommandRunner.js"
import * as Dladm from "../src/Dladm.js"
import * as Flowadm from "../src/Flowadm.js"
import * as cidr from "../src/internal/cidr.js"
import * as Ipadm from "../src/Ipadm.js"
import * as IpFilter from "../src/IpFilter.js"
import * as IpNat from "../src/IpNat.js"
import * as LinkName from "../src/LinkName.js"
import * as LinkProperties from "../src/LinkProperties.js"
import * as Overlay from "../src/Overlay.js"
import * as Route from "../src/Route.js"
import * as Routeadm from "../src/Routeadm.js"
import * as ZoneDns from "../src/ZoneDns.js"

const link = LinkName.make
const stderr = (text: string, exitCode = 1) => CommandRunner.result({ exitCode, stderr: `${text}\n` })

/** What each tool may print, and the error it means. */
const dladm: ReadonlyArray<readonly [string, string]> = [
  ["dladm: etherstub creation failed: object already exists", "LinkExists"],
  ["dladm: vnic creation over net0 failed: object already exists", "LinkExists"],
  ["dladm: invalid link name 'net9'", "LinkNotFound"],
  ["dladm: link name too long 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0'", "NetworkSettingRejected"],
  ["usage:  dladm <subcommand> <args> ...", "NetworkSettingRejected"],
  ["dladm: unknown subcommand 'frobnicate'\nusage:  dladm", "NetworkSettingRejected"],
  ["dladm: unrecognized option '-Z'\nusage: show-link", "NetworkSettingRejected"],
  ["dladm: option '-l' requires a value\nusage: create-vnic", "NetworkSettingRejected"],
  ["dladm: -p requires -o", "NetworkSettingRejected"],
  ["dladm: output fields must be specified in parsable mode", "NetworkSettingRejected"],
  ["dladm: \"-o all\" is invalid with -p", "NetworkSettingRejected"],
  ["dladm: output field `all' invalid in parsable mode", "NetworkSettingRejected"],
  ["dladm: unknown output field: `foo'", "NetworkSettingRejected"],
  ["dladm: invalid MAC address", "NetworkSettingRejected"],
  ["dladm: vnic creation over net0 failed: MAC address is already in use", "AddressInUse"],
  ["dladm: vnic creation over net0 failed: address already in use", "AddressInUse"],
  ["dladm: vnic creation over net0 failed: MTU check failed, MTU outside of device's supported range", "NetworkSettingRejected"],
  ["dladm: invalid VLAN identifier '5000'", "NetworkSettingRejected"],
  ["dladm: invalid vnic property", "NetworkSettingRejected"],
  ["dladm: warning: invalid link property 'foo'", "NetworkSettingRejected"],
  ["dladm: 'a0' is not a vnic", "LinkMismatch"],
  ["dladm: 'a0' is not an etherstub", "LinkMismatch"],
  ["dladm: vnic deletion failed: link busy", "LinkBusy"],
  ["dladm: vnic creation over a0 failed: can't create persistent object on top of temporary object", "LinkTemporary"],
  ["dladm: link a0 is not valid: object not found", "LinkNotFound"],
  ["dladm: invalid vnic name 'a0': object not found", "LinkNotFound"],
  ["dladm: warning: link property 'priority' must be one of: low,medium,high", "NetworkSettingRejected"],
  ["dladm: warning: cannot set link property 'maxbw' on 'a0': minimum value for maxbw is 1200K", "NetworkSettingRejected"],
  ["dladm: warning: cannot set link property 'mtu' on 'a0': link busy", "LinkBusy"],
  ["dladm: link property must be specified", "NetworkSettingRejected"],
  ["dladm: option not supported for this command", "NetworkUnsupported"],
  ["dladm: vnic creation over net0 failed: permission denied", "HostPermissionDenied"],
  ...([
    ["invalid argument", "NetworkSettingRejected"], ["operation failed", "HostCommandFailed"], ["buffer size too small", "HostCommandFailed"],
    ["operation not supported", "NetworkUnsupported"], ["object not found", "LinkNotFound"], ["invalid value", "NetworkSettingRejected"],
    ["insufficient memory", "NetworkTryAgain"], ["object already exists", "LinkExists"], ["invalid link", "LinkNotFound"],
    ["read-only property", "NetworkSettingRejected"], ["invalid number of values", "NetworkSettingRejected"], ["permission denied", "HostPermissionDenied"],
    ["I/O error", "HostCommandFailed"], ["change cannot be persistent", "NetworkUnsupported"], ["operation timed out", "NetworkTryAgain"],
    ["link busy", "LinkBusy"], ["invalid VLAN identifier", "NetworkSettingRejected"], ["try again later", "NetworkTryAgain"],
    ["invalid MAC address value", "NetworkSettingRejected"], ["MAC address reserved for use by underlying data-link", "AddressInUse"],
    ["MAC address is already in use", "AddressInUse"], ["invalid IP address", "NetworkSettingRejected"], ["invalid property", "NetworkSettingRejected"],
    ["link still has flows", "LinkBusy"], ["invalid encapsulation protocol", "NetworkSettingRejected"]
  ] as const).map(([text, tag]) => [`dladm: vnic creation over net0 failed: ${text}`, tag] as const)
]

const ipadm: ReadonlyArray<readonly [string, string]> = [
  ["ipadm: Could not create a0 : Interface already exists", "LinkExists"],
  ["ipadm: Could not create a0 : Datalink does not exist", "LinkNotFound"],
  ["ipadm: Could not create a0 : Could not open DLPI link", "LinkNotFound"],
  ["ipadm: Could not delete a0: Interface does not exist", "LinkNotFound"],
  ["ipadm: Could not create address: Address object already exists", "AddressExists"],
  ["ipadm: Could not create address: Address already in use", "AddressInUse"],
  ["ipadm: Could not create address: Duplicate address detected", "AddressInUse"],
  ["ipadm: invalid address object name: a0\nusage: create-addr", "NetworkSettingRejected"],
  ["ipadm: Error in creating address object: Invalid argument provided", "NetworkSettingRejected"],
  ["ipadm: Invalid arguments for type static\nusage: create-addr", "NetworkSettingRejected"],
  ["ipadm: Invalid address type foo", "NetworkSettingRejected"],
  ["ipadm: Error in setting local address: Invalid address", "NetworkSettingRejected"],
  ["ipadm: could not delete address: Object not found", "AddressNotFound"],
  ["ipadm: Address object not found", "AddressNotFound"],
  ["ipadm: Could not get interface(s): Interface does not exist", "LinkNotFound"],
  ["ipadm: could not delete address: Operation not permitted on from-gz interface", "NetworkUnsupported"],
  ["ipadm: Could not create address: Permission denied", "HostPermissionDenied"],
  ["ipadm: Could not create address: Insufficient user authorizations", "HostPermissionDenied"],
  ["ipadm: -p requires -o", "NetworkSettingRejected"]
]

const nat: ReadonlyArray<readonly [string, string]> = [
  ["syntax error error at \",\", line 3", "RulesRejected"],
  ["invalid port number error at \"99999\", line 1", "RulesRejected"],
  ["protocol set twice error at \"\", line 2", "RulesRejected"],
  ["Unknown hostname error at \"web\", line 1", "RulesRejected"],
  ["fopen(/x) failed: No such file or directory", "RulesRejected"],
  ["open device: Permission denied", "HostPermissionDenied"]
]

const route: ReadonlyArray<readonly [string, string]> = [
  ["add net default: gateway 10.0.0.1: entry exists", "RouteExists"],
  ["add persistent net 10.0.0.0/8: gateway 10.0.0.1: entry exists", "RouteExists"],
  ["delete net 10.0.0.0/8: gateway 10.0.0.1: not in table", "RouteNotFound"],
  ["delete persistent net 10.0.0.0/8: gateway 10.0.0.1: not in file", "RouteNotFound"],
  ["add net 10.0.0.0/8: gateway 10.0.0.1: Network is unreachable", "GatewayUnreachable"],
  ["add net 10.0.0.0/8: gateway 10.0.0.1: insufficient privileges", "HostPermissionDenied"],
  ["add net 10.0.0.0/8: gateway 10.0.0.1: routing table overflow", "NetworkTryAgain"],
  ["route: destination required", "NetworkSettingRejected"],
  ["10.0.0.300: bad value", "NetworkSettingRejected"]
]

const flows: ReadonlyArray<readonly [string, string]> = [
  ["flowadm: invalid link 'net9'", "LinkNotFound"],
  ["flowadm: invalid flow attribute specified", "NetworkSettingRejected"],
  ["flowadm: invalid flow property specified", "NetworkSettingRejected"],
  ["flowadm: link is required", "NetworkSettingRejected"],
  ["flowadm: flow name is required", "NetworkSettingRejected"],
  ["flowadm: flow name too long", "NetworkSettingRejected"],
  ["flowadm: add flow failed: object already exists", "FlowExists"],
  ["flowadm: remove flow failed: object not found", "FlowNotFound"],
  ["flowadm: invalid flow: 'web'", "FlowNotFound"],
  ["flowadm: add flow failed: permission denied", "HostPermissionDenied"]
]

describe("what the network tools refuse", () => {
  const tools = [
    ["dladm", Dladm.classify, dladm],
    ["ipadm", Ipadm.classify, ipadm],
    ["ipnat", IpNat.classify, nat],
    ["ipf", IpFilter.classify, nat],
    ["route", Route.classify, route],
    ["flowadm", Flowadm.classify, flows]
  ] as const
  for (const [name, classify, table] of tools) {
    it.each(table)(`${name}: %s`, (text, tag) => {
      const error = classify("change", "a0", stderr(text))
      assert.strictEqual(error._tag, tag)
      // What was tried, on what, and what the host said; the rest says what to do next.
      for (const part of ["change", "a0", text.split("\n")[0] ?? "", ";"]) assert.include(error.message, part)
    })
  }
  it("route prints refusals of the kernel on standard output", () => {
    const result = CommandRunner.result({ exitCode: 17, stdout: "add net default: gateway 10.0.0.1: entry exists\n" })
    assert.strictEqual(Route.classify("add route to", "default", result)._tag, "RouteExists")
  })
})

describe("networks", () => {
  it.prop("texts of addresses are read back", [fc.ipV6(), fc.ipV4(), fc.integer({ min: 0, max: 32 })], ([six, four, length]) => {
    const parsed = cidr.address(six)
    assert.isDefined(parsed)
    if (parsed === undefined) return
    assert.deepStrictEqual(cidr.address(cidr.formatAddress(6, parsed.value)), parsed)
    assert.strictEqual(cidr.lengthOfMask(cidr.netmask(length)), length)
    const net = cidr.parse(`${four}/${length}`)
    assert.isTrue(net !== undefined && cidr.contains(net, cidr.parse(four) ?? net))
  })
  it.each([["0:0:0:0:0:0:0:0", "::"], ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"], ["::ffff:10.0.0.1", "::ffff:a00:1"], ["fe80:0:0:0:0:0:0:1", "fe80::1"]])(
    "%s is %s",
    (text, canonical) => assert.strictEqual(cidr.formatAddress(6, cidr.address(text)?.value ?? -1n), canonical)
  )
})

describe("routes", () => {
  it("reads the tables of both families", () => {
    const text = [
      "",
      "IRE Table: IPv4",
      "  Destination             Mask           Gateway          Device  MTU  Ref Flg  Out  In/Fwd ",
      "-------------------- --------------- -------------------- ------ ----- --- --- ----- ------ ",
      "default              0.0.0.0         129.70.163.177                  0   5 UG  5666596      0 ",
      "127.0.0.1            255.255.255.255 127.0.0.1            lo0     8232   2 UH   31396  31391 ",
      "10.88.2.0            255.255.255.0   192.0.2.12                   1500*   1 UG       0      0 ",
      "",
      "IRE Table: IPv6",
      "  Destination/Mask            Gateway                    If    MTU  Ref Flags  Out   In/Fwd ",
      "--------------------------- --------------------------- ----- ----- --- ----- ------ ------ ",
      "::1                         ::1                         lo0    8252   2 UH      1113   1113 ",
      "fd00:88:2::/64              fd00::2                             1500   1 UG         0      0 "
    ].join("\n")
    const entries = Route.parseTable(text)
    assert.isFalse("unreadable" in entries)
    if ("unreadable" in entries) return
    assert.deepStrictEqual(entries.map((entry) => [entry.destination, entry.gateway, entry.interface, entry.flags]), [
      ["default", "129.70.163.177", "", "UG"],
      ["127.0.0.1/32", "127.0.0.1", "lo0", "UH"],
      ["10.88.2.0/24", "192.0.2.12", "", "UG"],
      ["::1/128", "::1", "lo0", "UH"],
      ["fd00:88:2::/64", "fd00::2", "", "UG"]
    ])
    assert.deepStrictEqual(Route.parseTable("IRE Table: IPv4\nwhat is this\n"), { unreadable: "what is this" })
  })
  it("builds commands for both families, and persistent ones", () => {
    assert.deepStrictEqual(Route.add({ destination: "10.88.2.1/24", gateway: "192.0.2.12" }).args, ["-n", "add", "-net", "10.88.2.0/24", "192.0.2.12"])
    assert.deepStrictEqual(Route.remove({ destination: "fd00:2::/64", gateway: "fd00::2", persistent: true }).args, ["-n", "-p", "delete", "-inet6", "-net", "fd00:2::/64", "fd00::2"])
    assert.deepStrictEqual(Route.add({ destination: "default", gateway: "192.0.2.1" }).args, ["-n", "add", "default", "192.0.2.1"])
  })
  it("reads a lookup and the persistent routes", () => {
    assert.deepStrictEqual(
      Route.parseLookup("   route to: 10.0.0.9\ndestination: 10.0.0.0\n       mask: 255.0.0.0\n    gateway: 192.0.2.1\n  interface: net0\n      flags: <UP,GATEWAY,DONE,STATIC>\n"),
      { destination: "10.0.0.0", mask: "255.0.0.0", gateway: "192.0.2.1", interface: "net0", flags: ["UP", "GATEWAY", "DONE", "STATIC"] }
    )
    assert.deepStrictEqual(
      Route.parsePersistent("persistent: route add -net 10.0.0.0/8 192.0.2.1\npersistent: route add default 192.0.2.1\n").map((found) => found.destination),
      ["10.0.0.0/8", "default"]
    )
    assert.deepStrictEqual(Route.parsePersistent("No persistent routes are defined\n"), [])
    assert.deepStrictEqual(Routeadm.parse("persistent=enabled default=disabled current=disabled\n"), { persistent: true, current: false })
  })
})

describe("links, overlays, flows", () => {
  it("writes properties in a stable order", () => {
    assert.deepStrictEqual(
      LinkProperties.render({ protection: LinkProperties.everyProtection, allowedIps: ["10.0.0.1", "10.0.0.2"], maxbw: 1.2, promiscFiltered: false, dynamicMethods: ["dhcpv4"] }),
      {
        "allowed-ips": "10.0.0.1,10.0.0.2",
        "dynamic-methods": "dhcpv4",
        maxbw: "1.2",
        "promisc-filtered": "off",
        protection: "mac-nospoof,restricted,ip-nospoof,dhcp-nospoof"
      }
    )
    assert.isTrue(LinkProperties.equivalent("maxbw", "1.200", "1.2"))
    assert.isTrue(LinkProperties.equivalent("allowed-ips", "10.0.0.2/32,10.0.0.1", "10.0.0.1,10.0.0.2"))
    assert.isFalse(LinkProperties.equivalent("protection", "ip-nospoof", "ip-nospoof,restricted"))
    assert.deepStrictEqual(Dladm.parseLinkProperty("a0:allowed-ips:10.0.0.1,fd00\\:\\:1"), { link: "a0", property: "allowed-ips", value: "10.0.0.1,fd00::1" })
  })
  it("builds an overlay, and the file it finds its peers by", () => {
    assert.deepStrictEqual(
      Overlay.createOverlay({ name: link("rdvx0"), vnetid: 7, listenAddress: "192.0.2.1", search: { plugin: "files", config: "/var/run/t.json" } }).args,
      ["create-overlay", "-t", "-e", "vxlan", "-s", "files", "-v", "7", "-p", "files/config=/var/run/t.json", "-p", "vxlan/listen_ip=192.0.2.1", "-p", "vxlan/listen_port=4789", "rdvx0"]
    )
    const [a, b] = [{ mac: "2:52:64:40:0:2", address: "100.64.0.2", host: "192.0.2.2" }, { mac: "02:52:64:40:00:03", address: "100.64.0.3", host: "192.0.2.3" }] as const
    assert.strictEqual(Overlay.targetsFile([a, b]), Overlay.targetsFile([b, a]))
    assert.deepStrictEqual(JSON.parse(Overlay.targetsFile([a])), { "02:52:64:40:00:02": { arp: "100.64.0.2", ip: "192.0.2.2", port: 4789 } })
  })
  it("builds flows and reads them", () => {
    assert.deepStrictEqual(
      Flowadm.addFlow({ name: "web", link: link("a0"), attributes: { transport: "tcp", localPort: 80 }, maxbw: 10, priority: "low" }).args,
      ["add-flow", "-t", "-l", "a0", "-a", "transport=tcp,local_port=80", "-p", "maxbw=10,priority=low", "web"]
    )
    assert.deepStrictEqual(Flowadm.parseFlow("web:a0:LCL\\:10.0.0.1/32:tcp:80:--:"), {
      flow: "web", link: "a0", address: "LCL:10.0.0.1/32", transport: "tcp", localPort: "80", remotePort: "", dsfield: ""
    })
  })
})

describe("name resolution of a zone", () => {
  const dns = { nameservers: ["10.96.0.10", "fd00::10"], searches: ["default.svc.cluster.local", "svc.cluster.local"], options: [{ name: "ndots", value: "5" }, { name: "rotate" }] }
  it("is written as a file and as attributes", () => {
    assert.deepStrictEqual(
      ZoneDns.resolvConf(dns),
      Either.right("nameserver 10.96.0.10\nnameserver fd00::10\nsearch default.svc.cluster.local svc.cluster.local\noptions ndots:5 rotate\n")
    )
    assert.deepStrictEqual(ZoneDns.attributes(dns), Either.right([
      { name: "resolvers", value: "10.96.0.10,fd00::10" },
      { name: "dns-domain", value: "default.svc.cluster.local" }
    ]))
  })
  it.each([
    [{ nameservers: ["dns.example"] }, "not an address"],
    [{ nameservers: ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"] }, "more than 3"],
    [{ nameservers: [], searches: ["a b"] }, "not a domain"],
    [{ nameservers: [], searches: ["x\nnameserver 6.6.6.6"] }, "not a domain"],
    [{ nameservers: [], options: [{ name: "ndots", value: "5\nx" }] }, "not a resolver option"]
  ])("refuses what would be another file: %j", (bad, reason) => {
    assert.include(Either.match(ZoneDns.resolvConf(bad), { onLeft: (error) => error.message, onRight: () => "" }), reason)
  })
})
