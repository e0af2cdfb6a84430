import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HostState } from "../src/index.js"
import { type Host, host, type Row } from "./support.js"

const address = ["ipadm create-addr -T static -a 192.0.2.10/24 net0/v4"]
const overlay = "dladm create-overlay -t -e vxlan -s direct -v 7 -p vxlan/listen_ip=192.0.2.10,direct/dest_ip=192.0.2.11,direct/dest_port=4789 ov0"

const rows: ReadonlyArray<Row> = [
  { name: "route: no neighbour", run: "route -n add -net 10.88.2.0/24 192.0.2.12", exit: 128, stdout: "add net 10.88.2.0/24: gateway 192.0.2.12: Network is unreachable\n" },
  { name: "route: added", before: address, run: "route -n add -net 10.88.2.0/24 192.0.2.12", exit: 0, stdout: "add net 10.88.2.0/24: gateway 192.0.2.12\n" },
  { name: "route: twice", before: [...address, "route -n add default 192.0.2.1"], run: "route -n add default 192.0.2.1", exit: 17, stdout: "add net default: gateway 192.0.2.1: entry exists\n" },
  { name: "route: absent", before: address, run: "route -n delete -net 10.88.2.0/24 192.0.2.12", exit: 3, stdout: "delete net 10.88.2.0/24: gateway 192.0.2.12: not in table\n" },
  { name: "route: host", before: address, run: "route -n add 10.9.9.9 192.0.2.12", exit: 0, stdout: "add host 10.9.9.9: gateway 192.0.2.12\n" },
  { name: "route: destination", run: "route -n add", exit: 1 },
  { name: "route: bad address", before: address, run: "route -n add -net 10.0.0.300/8 192.0.2.1", exit: 1 },
  { name: "route: bad prefix", before: address, run: "route -n add -net 10.0.0.0/33 192.0.2.1", exit: 1 },
  { name: "route: get", before: [...address, "route -n add default 192.0.2.1"], run: "route -n get 10.1.2.3", exit: 0 },
  { name: "route: get nothing", run: "route -n get 10.1.2.3", exit: 3, stdout: " 10.1.2.3: not in table\n" },
  { name: "route: none persistent", run: "route -p show", exit: 0, stdout: "No persistent routes are defined\n" },
  { name: "route: persistent", before: [...address, "route -p add -net 10.0.0.0/8 192.0.2.1"], run: "route -p show", exit: 0, stdout: "persistent: route add -net 10.0.0.0/8 192.0.2.1\n" },
  {
    name: "route: persistent twice", before: [...address, "route -p add -net 10.0.0.0/8 192.0.2.1"], run: "route -p add -net 10.0.0.0/8 192.0.2.1", exit: 1,
    stderr: "add persistent net 10.0.0.0/8: gateway 192.0.2.1: entry exists\n"
  },
  { name: "routeadm: option", run: "routeadm -u -e ipv5-forwarding", exit: 1, stderr: "routeadm: invalid option: ipv5-forwarding\n" },
  { name: "routeadm: read", before: ["routeadm -u -e ipv4-forwarding"], run: "routeadm -p ipv4-forwarding", exit: 0, stdout: "persistent=enabled default=disabled current=enabled\n" },
  { name: "routeadm: turns on what ipadm shows", before: ["routeadm -u -e ipv4-forwarding"], run: "ipadm show-prop -c -o current -p forwarding ipv4", exit: 0, stdout: "on\n" },
  { name: "overlay: properties", before: [overlay], run: "dladm show-overlay -p -o link,property,value ov0", exit: 0, stdout: "ov0:mtu:1400\nov0:vnetid:7\nov0:encap:vxlan\nov0:varpd/id:1\nov0:vxlan/listen_ip:192.0.2.10\nov0:vxlan/listen_port:4789\nov0:search:direct\nov0:direct/dest_ip:192.0.2.11\nov0:direct/dest_port:4789\n" },
  { name: "overlay: search plugin missing", run: "dladm create-overlay -t -e vxlan -v 7 ov0", exit: 1, stderr: "dladm: missing required search plugin\n" },
  { name: "overlay: encapsulation", run: "dladm create-overlay -t -e geneve -s direct -v 7 ov0", exit: 1, stderr: "dladm: overlay creation failed: invalid encapsulation protocol\n" },
  { name: "overlay: targets file must be there", run: "dladm create-overlay -t -e vxlan -s files -v 7 -p vxlan/listen_ip=192.0.2.10,files/config=/nowhere ov0", exit: 1 },
  { name: "overlay: busy", before: [overlay, "dladm create-vnic -t -l ov0 v0"], run: "dladm delete-overlay ov0", exit: 1 },
  { name: "overlay: takes no address", before: [overlay], run: "ipadm create-addr -t -T static -a 10.0.0.1/24 ov0/v4", exit: 1, stderr: "ipadm: Could not create address: Datalink does not exist\n" },
  { name: "overlay: not one", run: "dladm delete-overlay net0", exit: 1, stderr: "dladm: 'net0' is not an overlay\n" },
  { name: "vlan: created", before: ["dladm create-vlan -t -l net0 -v 5 v5"], run: "dladm show-link -p -o link,class,over v5", exit: 0, stdout: "v5:vlan:net0\n" },
  { name: "vlan: default name", before: ["dladm create-vlan -l net0 -v 5"], run: "dladm show-link -p -o link net5000", exit: 0, stdout: "net5000\n" },
  { name: "vlan: identifier", run: "dladm create-vlan -l net0 -v 4095 v5", exit: 1, stderr: "dladm: invalid VLAN identifier '4095'\n" },
  { name: "link: allowed-ips", run: "dladm set-linkprop -p allowed-ips=10.0.0.300 net0", exit: 1, stderr: "dladm: warning: cannot set link property 'allowed-ips' on 'net0': invalid IP address\n" },
  { name: "flow: added", before: ["flowadm add-flow -t -l net0 -a transport=tcp,local_port=80 -p maxbw=10M web"], run: "flowadm show-flow -p -o flow,link,ipaddr,proto,lport", exit: 0, stdout: "web:net0::tcp:80\n" },
  { name: "flow: link required", run: "flowadm add-flow -a transport=tcp web", exit: 1, stderr: "flowadm: link is required\n" },
  { name: "flow: unknown link", run: "flowadm add-flow -l net9 -a transport=tcp web", exit: 1, stderr: "flowadm: invalid link 'net9'\n" },
  { name: "flow: attribute", run: "flowadm add-flow -l net0 -a color=red web", exit: 1, stderr: "flowadm: invalid flow attribute specified\n" },
  { name: "flow: twice", before: ["flowadm add-flow -l net0 -a local_ip=10.0.0.1 web"], run: "flowadm add-flow -l net0 -a local_ip=10.0.0.2 web", exit: 1, stderr: "flowadm: add flow failed: object already exists\n" },
  { name: "flow: bandwidth", run: "flowadm add-flow -l net0 -a local_ip=10.0.0.1 -p maxbw=1M web", exit: 1, stderr: "flowadm: add flow failed: minimum value for maxbw is 1200K\n" },
  { name: "flow: absent", run: "flowadm remove-flow web", exit: 1, stderr: "flowadm: remove flow failed: object not found\n" },
  {
    name: "flow: keeps its link", before: ["dladm create-vnic -t -l net0 v0", "flowadm add-flow -t -l v0 -a local_ip=10.0.0.1 web"], run: "dladm delete-vnic v0", exit: 1,
    stderr: "dladm: vnic deletion failed: link still has flows\n"
  },
  { name: "ipnat: empty", run: "ipnat -l", exit: 0, stdout: "List of active MAP/Redirect filters:\n\nList of active sessions:\n" },
  { name: "ipnat: no file", run: "ipnat -f /nowhere", exit: 1, stderr: "fopen(/nowhere) failed: No such file or directory\n" },
  { name: "ipfstat: empty", run: "ipfstat -io", exit: 0, stdout: "", stderr: "empty list for ipfilter(out)\nempty list for ipfilter(in)\n" }
]

/** Text for ipnat, what it complains about, and what it has loaded. */
const ruleFiles: ReadonlyArray<readonly [name: string, text: string, exit: number, stderr: string, loaded: ReadonlyArray<string>]> = [
  ["canonical form", "map net0 10.88.3.0/16 -> 0/32 portmap tcp/udp 20000:39999 # out\n\nmap net0 0/0 -> 0/32\n", 0, "", [
    "map net0 10.88.0.0/16 -> 0.0.0.0/32 portmap tcp/udp 20000:39999",
    "map net0 0.0.0.0/0 -> 0.0.0.0/32"
  ]],
  ["a missing length is one address", "bimap net0 10.0.0.1 -> 192.0.2.1\n", 0, "", ["bimap net0 10.0.0.1/32 -> 192.0.2.1/32"]],
  ["a missing protocol is tcp", "rdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11 port 8080\n", 0, "", ["rdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11 port 8080 tcp"]],
  ["ports of sctp are dropped", "rdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11 port 8080 sctp\n", 0, "", ["rdr gw0 10.96.0.10/32 -> 10.88.0.11 sctp"]],
  ["two targets", "rdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11,10.88.0.12 port 80 tcp round-robin\n", 0, "", ["rdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11,10.88.0.12 port 80 tcp round-robin"]],
  ["three targets", "map net0 10.0.0.0/8 -> 0/32\nrdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11,10.88.0.12,10.88.0.13 port 80 tcp\nmap net0 10.1.0.0/16 -> 0/32\n", 1, "syntax error error at \",\", line 2\n", ["map net0 10.0.0.0/8 -> 0.0.0.0/32"]],
  ["port number", "rdr gw0 10.96.0.10/32 port 99999 -> 10.88.0.11 port 80 tcp\n", 1, "invalid port number error at \"99999\", line 1\n", []],
  ["protocol twice", "rdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11 port 80 tcp udp\n", 1, "protocol set twice error at \"\", line 1\n", []],
  ["host name", "map net0 web -> 0/32\n", 1, "Unknown hostname error at \"web\", line 1\n", []],
  ["target port is mandatory", "rdr gw0 10.96.0.10/32 port 80 -> 10.88.0.11 tcp\n", 1, "syntax error error at \"tcp\", line 1\n", []],
  ["twice the same", "map net0 10.0.0.0/8 -> 0/32\nmap net0 10.0.0.0/8 -> 0.0.0.0/32\nmap net0 10.1.0.0/16 -> 0/32\n", 0, "2:ioctl(add/insert nat rule): File exists\n", ["map net0 10.0.0.0/8 -> 0.0.0.0/32", "map net0 10.1.0.0/16 -> 0.0.0.0/32"]]
]

const feed = (node: Host, program: string, text: string, ...args: ReadonlyArray<string>) =>
  node.run({ program: `/usr/sbin/${program}`, args: [...args, "-f", "-"], stdin: text })

describe("routes, overlays, flows and rules", () => {
  for (const row of rows) {
    it.scoped(row.name, () =>
      Effect.gen(function*() {
        const { expectOk, sh } = yield* host()
        for (const command of row.before ?? []) yield* expectOk(command)
        const result = yield* sh(row.run)
        if (row.stderr !== undefined) assert.strictEqual(result.stderr, row.stderr)
        if (row.stdout !== undefined) assert.strictEqual(result.stdout, row.stdout)
        assert.strictEqual(result.exitCode, row.exit)
      }))
  }
  for (const [name, text, exit, stderr, loaded] of ruleFiles) {
    it.scoped(`ipnat: ${name}`, () =>
      Effect.gen(function*() {
        const node = yield* host()
        const result = yield* feed(node, "ipnat", text)
        assert.strictEqual(result.stderr, stderr)
        assert.strictEqual(result.exitCode, exit)
        const state = yield* node.state
        assert.deepStrictEqual(state.network?.nat, loaded)
      }))
  }
  it.scoped("ipnat: parses only, removes, clears", () =>
    Effect.gen(function*() {
      const node = yield* host()
      const rules = "map net0 10.0.0.0/8 -> 0/32\nmap net0 10.1.0.0/16 -> 0/32\n"
      assert.strictEqual((yield* feed(node, "ipnat", rules, "-n")).exitCode, 0)
      assert.deepStrictEqual((yield* node.state).network?.nat, [])
      yield* feed(node, "ipnat", rules)
      assert.strictEqual((yield* feed(node, "ipnat", "map net0 10.9.0.0/16 -> 0/32\nmap net0 10.0.0.0/8 -> 0/32\n", "-r")).stderr, "1:ioctl(delete nat rule): No such process\n")
      assert.deepStrictEqual((yield* node.state).network?.nat, ["map net0 10.1.0.0/16 -> 0.0.0.0/32"])
      assert.strictEqual((yield* node.sh("ipnat -CF")).stdout, "0 entries flushed from NAT table\n1 entries flushed from NAT list\n")
      assert.deepStrictEqual((yield* node.state).network?.nat, [])
    }))
  it.scoped("ipf: lists what leaves before what arrives", () =>
    Effect.gen(function*() {
      const node = yield* host()
      yield* feed(node, "ipf", "pass in quick on gw0 proto tcp from 10.88.0.11 to any port = 80 keep state\nblock out all\n")
      assert.strictEqual((yield* node.sh("ipfstat -io")).stdout, "block out all\npass in quick on gw0 proto tcp from 10.88.0.11/32 to any port = 80 keep state\n")
      assert.strictEqual((yield* feed(node, "ipf", "pass through\n")).stderr, "syntax error error at \"through\", line 1\n")
      yield* node.expectOk("ipf -Fa")
      assert.strictEqual((yield* node.sh("ipfstat -io")).stdout, "")
    }))
  it.scoped("the routing table follows addresses, and a reboot keeps what is persistent", () =>
    Effect.gen(function*() {
      const node = yield* host()
      const table = Effect.map(node.run({ program: "/usr/bin/netstat", args: ["-rnv", "-f", "inet"] }), ({ stdout }) =>
        stdout.split("\n").filter((line) => /^(default|\d)/.test(line)).map((line) => line.trim().replaceAll(/\s+/g, " ")))
      for (const command of [...address, "ipadm create-addr -t -T static -a 198.51.100.1/24 net0/b", "route -p add default 192.0.2.1", "route -n add -net 10.1.0.0/16 198.51.100.9", "route -n add -net 10.2.0.0/16 192.0.2.9"]) {
        yield* node.expectOk(command)
      }
      assert.deepStrictEqual(yield* table, [
        "default 0.0.0.0 192.0.2.1 0 1 UG 0 0",
        "10.1.0.0 255.255.0.0 198.51.100.9 0 1 UG 0 0",
        "10.2.0.0 255.255.0.0 192.0.2.9 0 1 UG 0 0",
        "127.0.0.1 255.255.255.255 127.0.0.1 lo0 8232 1 UH 0 0",
        "192.0.2.0 255.255.255.0 192.0.2.10 net0 1500 1 U 0 0",
        "198.51.100.0 255.255.255.0 198.51.100.1 net0 1500 1 U 0 0"
      ])
      yield* node.expectOk("ipadm delete-addr net0/b")
      assert.isFalse((yield* table).some((line) => line.startsWith("10.1.")))
      yield* feed(node, "ipnat", "map net0 10.0.0.0/8 -> 0/32\n")
      yield* node.expectOk("ipadm set-prop -t -p forwarding=on ipv4")
      yield* node.expectOk("flowadm add-flow -t -l net0 -a local_ip=10.0.0.1 web")
      yield* node.rebootHost
      assert.deepStrictEqual(yield* table, [
        "default 0.0.0.0 192.0.2.1 0 1 UG 0 0",
        "127.0.0.1 255.255.255.255 127.0.0.1 lo0 8232 1 UH 0 0",
        "192.0.2.0 255.255.255.0 192.0.2.10 net0 1500 1 U 0 0"
      ])
      assert.deepInclude((yield* node.state).network, { nat: [], flows: [] })
      assert.strictEqual((yield* node.sh("ipadm show-prop -c -o current -p forwarding ipv4")).stdout, "off\n")
    }))
  it.scoped("no zone takes a link that is protected already", () =>
    Effect.gen(function*() {
      const node = yield* host()
      yield* node.expectOk("dladm create-vnic -t -l net0 v0")
      yield* node.zone("web", "set ip-type=exclusive", "add net", "set physical=v0", "set allowed-address=10.0.0.5/24", "end")
      yield* node.expectOk("zoneadm -z web install")
      yield* node.expectOk("dladm set-linkprop -t -p allowed-ips=10.0.0.5,protection=mac-nospoof,ip-nospoof v0")
      const refused = yield* node.sh("zoneadm -z web boot")
      assert.strictEqual(refused.exitCode, 1)
      assert.include(refused.stderr, "zone 'web': Protection is already set\nzone 'web': failed to add address: Invalid argument\n")
      yield* node.expectOk("dladm reset-linkprop -t -p protection,allowed-ips v0")
      yield* node.expectOk("zoneadm -z web boot")
      // While the zone has it, more can be forbidden; when it is gone, nothing is.
      yield* node.expectOk("dladm set-linkprop -t -p protection=mac-nospoof,ip-nospoof v0")
      yield* node.expectOk("zoneadm -z web halt")
      assert.strictEqual((yield* node.sh("dladm show-linkprop -c -o property,value -p protection,allowed-ips v0")).stdout, "protection:\nallowed-ips:\n")
    }))
  it.scoped("a state from before there were tables is read, and gets them", () =>
    Effect.gen(function*() {
      const node = yield* host()
      const { network, ...old } = yield* node.state
      assert.isDefined(network)
      assert.isTrue(HostState.decodeOption(HostState.encode(old))._tag === "Some")
    }))
})
