import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Faults } from "../src/index.js"
import { host, type Row } from "./support.js"

const stub = ["dladm create-etherstub -t stub0"]
const vnic = [...stub, "dladm create-vnic -t -l stub0 -m 2:8:20:a:b:c v0"]
const usage = /^usage: {2}dladm <subcommand> <args> \.\.\./

const rows: ReadonlyArray<Row> = [
  { name: "stub exists", before: stub, run: "dladm create-etherstub stub0", exit: 1, stderr: "dladm: etherstub creation failed: object already exists\n" },
  { name: "stub name", run: "dladm create-etherstub stub", exit: 1, stderr: "dladm: invalid link name 'stub'\n" },
  { name: "stub name with zero", run: "dladm create-etherstub stub00", exit: 0, stderr: "" },
  { name: "stub name too long", run: `dladm create-etherstub ${"s".repeat(31)}0`, exit: 1, stderr: `dladm: link name too long '${"s".repeat(31)}0'\n` },
  { name: "vnic exists", before: vnic, run: "dladm create-vnic -t -l stub0 v0", exit: 1, stderr: "dladm: vnic creation over stub0 failed: object already exists\n" },
  { name: "vnic over nothing", run: "dladm create-vnic -l none0 v0", exit: 1, stderr: "dladm: invalid link name 'none0'\n" },
  { name: "vnic MAC", before: stub, run: "dladm create-vnic -t -l stub0 -m 1:2 v0", exit: 1, stderr: "dladm: invalid MAC address\n" },
  { name: "vnic MAC taken", before: vnic, run: "dladm create-vnic -t -l stub0 -m 02:08:20:0a:0b:0c v1", exit: 1, stderr: "dladm: vnic creation over stub0 failed: MAC address is already in use\n" },
  { name: "vnic MTU", before: stub, run: "dladm create-vnic -t -l stub0 -p mtu=9001 v0", exit: 1, stderr: "dladm: vnic creation over stub0 failed: MTU check failed, MTU outside of device's supported range\n" },
  { name: "vnic VLAN", before: stub, run: "dladm create-vnic -t -l stub0 -v 4095 v0", exit: 1, stderr: "dladm: invalid VLAN identifier '4095'\n" },
  { name: "vnic property list", before: stub, run: "dladm create-vnic -t -l stub0 -p , v0", exit: 1, stderr: "dladm: invalid vnic property\n" },
  { name: "vnic persistent over temporary", before: stub, run: "dladm create-vnic -l stub0 v0", exit: 1, stderr: "dladm: vnic creation over stub0 failed: can't create persistent object on top of temporary object\n" },
  { name: "delete unknown", run: "dladm delete-vnic v0", exit: 1, stderr: "dladm: invalid link name 'v0'\n" },
  { name: "delete vnic of a stub", before: stub, run: "dladm delete-vnic stub0", exit: 1, stderr: "dladm: 'stub0' is not a vnic\n" },
  { name: "delete stub of a vnic", before: vnic, run: "dladm delete-etherstub v0", exit: 1, stderr: "dladm: 'v0' is not an etherstub\n" },
  { name: "delete stub below a vnic", before: vnic, run: "dladm delete-etherstub stub0", exit: 1, stderr: "dladm: vnic deletion failed: link busy\n" },
  { name: "delete plumbed vnic", before: [...vnic, "ipadm create-if -t v0"], run: "dladm delete-vnic v0", exit: 1, stderr: "dladm: vnic deletion failed: link busy\n" },
  { name: "show-link unknown", run: "dladm show-link v0", exit: 1, stderr: "dladm: link v0 is not valid: object not found\n" },
  { name: "show-vnic unknown", run: "dladm show-vnic v0", exit: 1, stderr: "dladm: invalid vnic name 'v0': object not found\n" },
  { name: "show-link -p", run: "dladm show-link -p", exit: 1, stderr: "dladm: -p requires -o\n" },
  { name: "show-vnic -p", run: "dladm show-vnic -p", exit: 1, stderr: "dladm: output fields must be specified in parsable mode\n" },
  { name: "show-link -o all", run: "dladm show-link -p -o all", exit: 1, stderr: "dladm: \"-o all\" is invalid with -p\n" },
  { name: "show-vnic -o all", run: "dladm show-vnic -p -o all", exit: 1, stderr: "dladm: output field `all' invalid in parsable mode\n" },
  { name: "unknown field", run: "dladm show-link -p -o foo", exit: 1, stderr: "dladm: unknown output field: `foo'\n" },
  { name: "unknown property", run: "dladm set-linkprop -p foo=1 net0", exit: 1, stderr: "dladm: warning: invalid link property 'foo'\n" },
  { name: "bad enumeration", run: "dladm set-linkprop -p priority=top net0", exit: 1, stderr: "dladm: warning: link property 'priority' must be one of: low,medium,high\n" },
  { name: "maxbw too small", run: "dladm set-linkprop -p maxbw=1M net0", exit: 1, stderr: "dladm: warning: cannot set link property 'maxbw' on 'net0': minimum value for maxbw is 1200K\n" },
  { name: "mtu while plumbed", before: ["ipadm create-if net0"], run: "dladm set-linkprop -p mtu=1400 net0", exit: 1, stderr: "dladm: warning: cannot set link property 'mtu' on 'net0': link busy\n" },
  { name: "no property", run: "dladm set-linkprop net0", exit: 1, stderr: "dladm: link property must be specified\n" },
  { name: "short option refused", run: "dladm show-link -Z", exit: 1, stderr: "dladm: unrecognized option '-Z'\nusage: show-link [-pP] [-o <field>,..] [-s [-i <interval>]] [<link>]\n" },
  { name: "value missing", run: "dladm create-vnic -l", exit: 1 },
  { name: "options behind the operand", before: stub, run: "dladm create-vnic v7 --link=stub0 --temporary", exit: 0, stderr: "" },
  { name: "parsable, several fields", before: vnic, run: "dladm show-vnic -p -o link,over,macaddress,vid", exit: 0, stdout: "v0:stub0:2\\:8\\:20\\:a\\:b\\:c:0\n" },
  { name: "parsable, one field", before: vnic, run: "dladm show-vnic -p -o macaddress", exit: 0, stdout: "2:8:20:a:b:c\n" },
  { name: "show-link fields", before: vnic, run: "dladm show-link -p -o link,class,mtu,state,over", exit: 0, stdout: "net0:phys:1500:up:\nstub0:etherstub:9000:unknown:\nv0:vnic:9000:up:stub0\n" },
  { name: "maxbw", before: ["dladm set-linkprop -p maxbw=10M net0"], run: "dladm show-linkprop -c -o value -p maxbw net0", exit: 0, stdout: "   10\n" },
  { name: "maxbw fraction", before: ["dladm set-linkprop -p maxbw=1200K net0"], run: "dladm show-linkprop -c -o value -p maxbw net0", exit: 0, stdout: "    1.200\n" },
  { name: "create-if twice", before: ["ipadm create-if net0"], run: "ipadm create-if net0", exit: 1, stderr: "ipadm: Could not create net0 : Interface already exists\n" },
  { name: "create-if without link", run: "ipadm create-if v0", exit: 1, stderr: "ipadm: Could not create v0 : Datalink does not exist\n" },
  { name: "delete-if unknown", run: "ipadm delete-if v0", exit: 1, stderr: "ipadm: Could not delete v0: Interface does not exist\n" },
  { name: "addrobj exists", before: ["ipadm create-addr -T static -a 10.0.0.1/24 net0/v4"], run: "ipadm create-addr -T static -a 10.0.0.2/24 net0/v4", exit: 1, stderr: "ipadm: Could not create address: Address object already exists\n" },
  { name: "address in use", before: ["ipadm create-addr -T static -a 10.0.0.1/24 net0/v4"], run: "ipadm create-addr -T static -a 10.0.0.1/24 net0/v5", exit: 1, stderr: "ipadm: Could not create address: Address already in use\n" },
  { name: "addrobj without slash", run: "ipadm create-addr -T static -a 10.0.0.1/24 net0", exit: 1 },
  { name: "addrobj part", run: "ipadm create-addr -T static -a 10.0.0.1/24 net0/a_b", exit: 1, stderr: "ipadm: Error in creating address object: Invalid argument provided\n" },
  { name: "address type", run: "ipadm create-addr -T foo net0/v4", exit: 1, stderr: "ipadm: Invalid address type foo\n" },
  { name: "static without address", run: "ipadm create-addr -T static net0/v4", exit: 1 },
  { name: "bad address", run: "ipadm create-addr -T static -a 10.0.0.300/24 net0/v4", exit: 1, stderr: "ipadm: Error in setting local address: Invalid address\n" },
  { name: "delete-addr unknown", run: "ipadm delete-addr net0/v4", exit: 1, stderr: "ipadm: could not delete address: Object not found\n" },
  { name: "show-addr unknown", run: "ipadm show-addr net0/v4", exit: 1, stderr: "ipadm: Address object not found\n" },
  { name: "show-addr of an interface without", before: ["ipadm create-if net0"], run: "ipadm show-addr -p -o addr net0/", exit: 0, stdout: "" },
  { name: "show-if unknown", run: "ipadm show-if v0", exit: 1, stderr: "ipadm: Could not get interface(s): Interface does not exist\n" },
  { name: "show-addr -p", run: "ipadm show-addr -p", exit: 1, stderr: "ipadm: -p requires -o\n" },
  { name: "show-addr fields", before: ["ipadm create-addr -t -T static -a 10.0.0.1/24 net0/v4"], run: "ipadm show-addr -p -o addrobj,type,state,addr", exit: 0, stdout: "lo0/v4:static:ok:127.0.0.1/8\nlo0/v6:static:ok:\\:\\:1/128\nnet0/v4:static:ok:10.0.0.1/24\n" },
  { name: "forwarding", before: ["ipadm set-prop -p forwarding=on ipv4"], run: "ipadm show-prop -c -o current -p forwarding ipv4", exit: 0, stdout: "on\n" }
]

describe("dladm and ipadm", () => {
  for (const row of rows) {
    it.scoped(row.name, () =>
      Effect.gen(function*() {
        const { sh, expectOk } = yield* host()
        for (const command of row.before ?? []) yield* expectOk(command)
        const result = yield* sh(row.run)
        if (row.stderr !== undefined) assert.strictEqual(result.stderr, row.stderr)
        if (row.stdout !== undefined) assert.strictEqual(result.stdout, row.stdout)
        assert.strictEqual(result.exitCode, row.exit)
      }))
  }
  it.scoped("prints the usage list on missing operands", () =>
    Effect.gen(function*() {
      const { sh } = yield* host()
      for (const command of ["dladm create-vnic v0", "dladm create-etherstub", "dladm delete-vnic"]) {
        const result = yield* sh(command)
        assert.match(result.stderr, usage)
        assert.strictEqual(result.exitCode, 1)
      }
      assert.match((yield* sh("dladm frobnicate")).stderr, /^dladm: unknown subcommand 'frobnicate'\nusage/)
      assert.match((yield* sh("dladm")).stdout, /^LINK +CLASS +MTU +STATE +BRIDGE +OVER\nnet0 +phys +1500 +up +-- +--\n$/)
    }))
  it.scoped("a link can be busy for a while", () =>
    Effect.gen(function*() {
      const { sh, expectOk, inject } = yield* host()
      for (const command of vnic) yield* expectOk(command)
      yield* inject(Faults.linkBusy("v0", 2))
      for (const exit of [1, 1, 0]) assert.strictEqual((yield* sh("dladm delete-vnic v0")).exitCode, exit)
    }))
})

describe("files of the host", () => {
  it.scoped("several are copied into a folder at once, and no file of several", () =>
    Effect.gen(function*() {
      const { run, tempFile } = yield* host()
      const sources = yield* Effect.all([tempFile("one", "1"), tempFile("two", "2")])
      const of = (program: string, ...args: ReadonlyArray<string>) => run({ program: `/usr/bin/${program}`, args })
      yield* of("mkdir", "-p", "/etc/new")
      assert.strictEqual((yield* of("cp", ...sources, "/etc/new")).exitCode, 0)
      assert.strictEqual((yield* of("cat", "/etc/new/one")).stdout + (yield* of("cat", "/etc/new/two")).stdout, "12")
      assert.match((yield* of("cp", ...sources, "/etc/new/one")).stderr, /^Usage: cp /)
      assert.match((yield* of("cp", sources[0])).stderr, /^Usage: cp /)
      // The others are copied all the same.
      const partly = yield* of("cp", "/etc/nothing", sources[0], "/etc")
      assert.deepStrictEqual([partly.exitCode, partly.stderr], [2, "cp: cannot access /etc/nothing\n"])
      assert.strictEqual((yield* of("cat", "/etc/one")).stdout, "1")
    }))
})

describe("host information", () => {
  it.scoped("answers as a host of its dialect", () =>
    Effect.gen(function*() {
      const { run, sh } = yield* host({ cpus: 3, memoryMiB: 2048 })
      const of = (program: string, ...args: ReadonlyArray<string>) => Effect.map(run({ program, args }), (result) => result.stdout)
      assert.strictEqual((yield* of("/usr/sbin/psrinfo")).trim().split("\n").length, 3)
      assert.match(yield* of("psrinfo"), /^0\ton-line {3}since \d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d\n/)
      assert.strictEqual(yield* of("/usr/sbin/prtconf", "-m"), "2048\n")
      assert.strictEqual(yield* of("uname", "-r"), "5.11\n")
      assert.strictEqual(yield* of("/usr/bin/zonename"), "global\n")
      assert.match(yield* of("kstat", "-p", "unix:0:system_pages:physmem"), /^unix:0:system_pages:physmem\t524288\n$/)
      assert.strictEqual((yield* run({ program: "kstat", args: ["-p", "nothing:::"] })).exitCode, 1)
      assert.strictEqual((yield* Effect.flip(sh("halt"))).reason, "NotFound")
    }))
})
