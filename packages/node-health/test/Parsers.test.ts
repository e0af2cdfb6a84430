/** Everything that is read from hosts, by fixtures of both platforms. */
import { assert, describe, it } from "@effect/vitest"
import { Fmri } from "@reddwarf/runtime-illumos"
import { Effect, Either } from "effect"
import {
  DiskPressureCheck, FileProbe, FilesystemCheck, HostReader, MountTable, NetworkCheck, Observation, Resolver, RuntimeChecks, ServiceChecks, Thresholds
} from "../src/index.js"

const agent = Fmri.make("svc:/application/reddwarf/agent:default")

const linux = `rootfs / rootfs rw 0 0
/dev/sda1 / ext4 rw,relatime,errors=remount-ro 0 0
/dev/sdb1 /mnt/with\\040blank\\011tab ext4 ro,nosuid 0 0
/dev/sdc1 /data xfs rw 0 0
/dev/sdd1 /data xfs ro 0 0
/dev/loop0 /snap/core/1 squashfs ro,nodev 0 0
10.0.0.1:/export /nfs nfs4 ro,vers=4.2,addr=10.0.0.1 0 0
tmpfs /f\\303\\274 tmpfs rw 0 0
overlay /over overlay rw,lowerdir=/ro:/x 0 0
garbage
/dev/sde1 relative ext4 ro 0 0
`
const mnttab = [
  "rpool/ROOT/omnios\t/\tzfs\trw,devices,setuid,nonbmand,exec,xattr,atime,dev=4310002\t1700000000",
  "/devices\t/devices\tdevfs\tdev=8600000\t1700000001",
  "rpool/zones\t/zones\tzfs\trw,dev=4310003\t1700000002",
  "/zones/a\t/zones/b/with blank\tlofs\tro,zonedevfs,dev=1\t1700000003",
  "srv:/export\t/nfs\tnfs\tro,xattr\t1700000004",
  "/dev/dsk/c1t0d0s0\t/ufs\tufs\trw,intr\t1700000005",
  "tank\t/tank\tzfs\tro,dev=4310004\t1700000006",
  "no tabs at all",
  "x\t/y\tufs"
].join("\n")

describe("mount tables", () => {
  it("Linux: escapes, over-mounts, NFS, garbage", () => {
    const mounts = MountTable.parseLinux(linux)
    const readOnly = mounts.filter(MountTable.isReadOnly).map(({ mountPoint }) => mountPoint)
    assert.deepStrictEqual(readOnly, ["/mnt/with blank\ttab", "/data", "/nfs"])
    assert.strictEqual(mounts.filter(({ mountPoint }) => mountPoint === "/").length, 1)
    assert.strictEqual(MountTable.holding(mounts, "/fü/x")?.type, "tmpfs")
    assert.strictEqual(MountTable.holding(mounts, "/data/x/y")?.special, "/dev/sdd1")
    assert.strictEqual(MountTable.holding(mounts, "/database")?.special, "/dev/sda1")
    assert.strictEqual(MountTable.holding([], "/x"), undefined)
  })

  it("illumos: tabs, lofs, NFS, garbage", () => {
    const mounts = MountTable.parseMnttab(mnttab)
    assert.deepStrictEqual(mounts.filter(MountTable.isReadOnly).map(({ mountPoint }) => mountPoint), ["/zones/b/with blank", "/nfs", "/tank"])
    assert.strictEqual(MountTable.holding(mounts, "/zones/a/root")?.special, "rpool/zones")
    assert.strictEqual(mounts.length, 7)
  })
})

const run = (answers: Readonly<Record<string, string>>): HostReader.Service["run"] => (line) => {
  const command = [line.program.split("/").at(-1), ...line.args].join(" ")
  const found = Object.entries(answers).find(([start]) => command.startsWith(start))
  return found === undefined ? HostReader.of({ platform: "illumos" }).run(line, 1000) : Effect.succeed({ exitCode: 0, stdout: found[1], stderr: "" })
}
const illumos = (answers: Readonly<Record<string, string>>, more: Partial<HostReader.Script> = {}) =>
  HostReader.of({ platform: "illumos", kernelFile: (path) => Effect.succeed(path === "/etc/mnttab" ? mnttab : undefined), run: run(answers), ...more })

describe("filesystem_ro", () => {
  const onLinux = (options: FilesystemCheck.Options, more: Partial<HostReader.Script> = {}) =>
    FilesystemCheck.make(HostReader.of({ platform: "linux", kernelFile: (path) => Effect.succeed(path === "/proc/1/mounts" ? linux : undefined), ...more }), options).observe

  it.effect("names the first three, passes over what is expected", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* onLinux({ mounts: ["/", "/data/x", "/nfs", "/snap/core/1"] }), Observation.fail("read-only: /data,/nfs"))
      assert.deepStrictEqual(yield* onLinux({ mounts: ["/data", "/nfs"], expected: ["/data"], fstab: "srv:/e /nfs nfs ro 0 0" }), Observation.pass())
      assert.deepStrictEqual((yield* FilesystemCheck.make(HostReader.of({ platform: "linux" })).observe).observed, "unknown")
    }))

  it.effect("ZFS: datasets, pools, suspension", () =>
    Effect.gen(function*() {
      const options = { mounts: ["/", "/zones", "/tank"] }
      const property = (name: string, key: string, value: string) => `${name}\t${key}\t${value}\tlocal\n`
      const fine = property("rpool", "readonly", "off") + property("rpool", "health", "ONLINE") + property("tank", "readonly", "off") + property("tank", "health", "ONLINE")
      const look = (answers: Readonly<Record<string, string>>) => FilesystemCheck.make(illumos(answers), { ...options, expected: ["/tank"] }).observe
      assert.deepStrictEqual(yield* look({ "zpool get": fine }), Observation.pass())
      assert.deepStrictEqual(yield* look({ "zfs get": property("rpool/zones", "readonly", "on") }), Observation.fail("read-only: /zones"))
      assert.deepStrictEqual(yield* look({ "zpool get": fine.replace("tank\thealth\tONLINE", "tank\thealth\tFAULTED") }), Observation.fail("pool tank FAULTED"))
      assert.deepStrictEqual(yield* look({ "zpool get": fine.replace("rpool\treadonly\toff", "rpool\treadonly\ton") }), Observation.fail("pool rpool read-only"))
      assert.deepStrictEqual(yield* look({ "zpool get": fine.replace("ONLINE", "DEGRADED") }), Observation.pass())
      const suspended = "  pool: tank\n state: SUSPENDED\nstatus: One or more devices are faulted in response to IO failures.\n  scan: none requested\nconfig:\n\n\tNAME        STATE     READ WRITE CKSUM\n\ttank        UNAVAIL      0     0     0\n\nerrors: 2 data errors, use '-v' for a list\n"
      assert.deepStrictEqual(yield* look({ "zpool get": fine, "zpool status": suspended }), Observation.fail("pool tank SUSPENDED"))
    }))

  it.effect("a failed write says what it means", () =>
    Effect.gen(function*() {
      const probe = (code: string) => onLinux({ mounts: ["/"], writeProbe: ["/var/x"] }, {
        files: { ...HostReader.of({ platform: "linux" }).files, write: (path) => new FileProbe.ProbeFailed({ path, code, detail: code }) }
      })
      assert.deepStrictEqual(yield* probe("EROFS"), Observation.fail("read-only: /var/x"))
      assert.deepStrictEqual(yield* probe("EIO"), Observation.fail("EIO on /var/x"))
      for (const code of ["ENOSPC", "EDQUOT"]) assert.strictEqual((yield* probe(code)).observed, "pass")
      assert.strictEqual((yield* probe("EACCES")).observed, "unknown")
    }))
})

describe("zones", () => {
  const states = ["configured", "incomplete", "installed", "ready", "mounted", "running", "shutting_down", "down"]
  const global = "0:global:running:/::ipkg:shared"
  for (const fields of [7, 8]) {
    it(`zoneadm list -cp with ${fields} fields, every state and an escaped colon`, () => {
      const tail = fields === 8 ? ":0" : ""
      const text = [global, ...states.map((state, at) => `${state === "running" ? String(at) : "-"}:z${at}:${state}:/zones/a\\:b${at}:uuid-${at}:lx:excl`)].map((line) => `${line}${tail}\n`).join("")
      const zones = RuntimeChecks.parseZones(text)
      assert.deepStrictEqual(zones?.slice(1).map(({ state, zonepath }) => [state, zonepath]), states.map((state, at) => [state, `/zones/a:b${at}`]))
    })
  }
  it("what has another form is no listing", () => {
    assert.strictEqual(RuntimeChecks.parseZones(""), undefined)
    assert.strictEqual(RuntimeChecks.parseZones(`${global}\nzoneadm: something is wrong\n`), undefined)
  })
  it("stuck zones: only managed ones, only after ten minutes in the same state", () => {
    const zone = (name: string, state: "down" | "running" | "incomplete") => ({ name, state, zonepath: "/z", brand: "lx", ipType: "excl", fields: 7 })
    const since = new Map<string, number>()
    const managed = new Set(["a", "b"])
    const look = (now: number, ...zones: ReadonlyArray<ReturnType<typeof zone>>) => RuntimeChecks.stuckZones(zones, managed, since, now)
    assert.deepStrictEqual(look(0, zone("a", "down"), zone("b", "running"), zone("c", "down")), [])
    assert.deepStrictEqual(look(600_000, zone("a", "down"), zone("c", "down")), [])
    assert.deepStrictEqual(look(600_001, zone("a", "down"), zone("c", "down")), ["a"])
    assert.deepStrictEqual(look(600_002, zone("a", "incomplete")), [])
    assert.deepStrictEqual(look(600_003, zone("a", "down")), [])
  })
  it("brands", () => {
    assert.deepStrictEqual(RuntimeChecks.brandObservations(["lx", "bhyve"], ["ipkg", "lx", "bhyve"], true), [])
    assert.deepStrictEqual(RuntimeChecks.brandObservations(["lx", "bhyve"], ["ipkg", "bhyve"], false).map(({ reason }) => reason), ["brand lx is not installed", "brand bhyve has no /dev/vmmctl"])
  })
  it("pools", () => {
    const pools = new Map([["rpool", "ONLINE"], ["tank", "DEGRADED"]])
    assert.strictEqual(RuntimeChecks.poolObservations(pools, undefined, "pass").observed, "pass")
    assert.strictEqual(RuntimeChecks.poolObservations(pools, undefined, "fail").reason, "pool tank DEGRADED")
    assert.strictEqual(RuntimeChecks.poolObservations(new Map([["tank", "UNAVAIL"]]), "tank", "pass").reason, "pool tank UNAVAIL")
    assert.strictEqual(RuntimeChecks.poolObservations(pools, "other", "pass").reason, "pool other does not exist")
  })
})

describe("network", () => {
  it("routes and neighbours of Linux", () => {
    const table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\neth0\t0002000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\neth1\t00000000\t0102000A\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"
    assert.deepStrictEqual(NetworkCheck.parseLinuxRoutes(table), [{ interface: "eth0", gateway: "10.0.2.1" }])
    const entry = (used: string, state: string) => `10.0.2.1 dev eth0 lladdr 52:54:00:12:35:02 ref 1 used ${used} probes 1 ${state}\n`
    assert.isTrue(NetworkCheck.isNeighbourFresh(entry("35/29/5", "REACHABLE")))
    assert.isFalse(NetworkCheck.isNeighbourFresh(entry("1/30/1", "REACHABLE")))
    assert.isFalse(NetworkCheck.isNeighbourFresh(entry("1/2/1", "STALE")))
    assert.isFalse(NetworkCheck.isNeighbourFresh("10.0.2.1 dev eth0  FAILED\n"))
  })
  it("resolv.conf and hosts", () => {
    assert.deepStrictEqual(Resolver.parseResolvConf("search x\nnameserver 10.0.0.2\n nameserver 10.0.0.2\nnameserver fe80::1%eth0\nnameserver fd00::1 # x\nnameserver nonsense\n"), ["10.0.0.2", "fd00::1"])
    assert.deepStrictEqual([...Resolver.parseHosts("127.0.0.1 localhost\n10.0.0.9 Api.example api # both\n10.0.0.8 api\nx y\n")], [["localhost", "127.0.0.1"], ["api.example", "10.0.0.9"], ["api", "10.0.0.9"]])
  })

  const netstat = `Routing Table: IPv4
  Destination             Mask           Gateway          Device  MTU  Ref Flg  Out  In/Fwd
-------------------- --------------- -------------------- ------ ----- --- --- ----- ------
default              0.0.0.0         10.0.2.2             net0    1500   2 UG      0      0
10.0.2.0             255.255.255.0   10.0.2.15            net0    1500   4 U       0      0
`
  const metrics = { set: () => {}, add: () => {}, get: () => 0, remove: () => {}, render: () => "" }
  const look = (link: string, address: string, more: Partial<HostReader.Script> = {}, ping = true) => {
    const answers = { "netstat": netstat, "dladm show-link": `net0:phys:1500:${link}:\n`, "ipadm show-addr": `lo0/v4:static:ok:127.0.0.1/8\nnet0/_a:dhcp:${address}:10.0.2.15/24\n`, ...(ping ? { "ping 10.0.2.2 1": "10.0.2.2 is alive\n" } : {}) }
    return NetworkCheck.make(illumos(answers, { ask: () => Effect.void, ...more }), metrics, { dnsServers: ["10.0.2.3", "10.0.2.4"] }).observe
  }
  it.effect("illumos: link, address, gateway, name servers", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* look("up", "ok"), Observation.pass())
      assert.deepStrictEqual(yield* look("unknown", "ok"), Observation.pass())
      assert.strictEqual((yield* look("down", "ok")).reason, "link net0 is down")
      assert.deepStrictEqual(yield* look("up", "tentative"), Observation.pass("address net0/_a is tentative"))
      assert.strictEqual((yield* look("up", "duplicate")).reason, "address net0/_a is duplicate")
      assert.strictEqual((yield* look("up", "inaccessible")).reason, "address net0/_a is inaccessible")
      assert.strictEqual((yield* look("up", "ok", {}, false)).reason, "gateway 10.0.2.2 does not answer")
      const refused = (server: string) => new Resolver.NoAnswer({ server, code: "REFUSED" })
      assert.strictEqual((yield* look("up", "ok", { ask: refused })).reason, "name servers: 10.0.2.3 REFUSED, 10.0.2.4 REFUSED")
      assert.strictEqual((yield* look("up", "ok", { ask: (server) => server === "10.0.2.3" ? refused(server) : Effect.void })).observed, "pass")
    }))
  it.effect("nothing configured is no fault", () =>
    Effect.gen(function*() {
      const observation = yield* NetworkCheck.make(HostReader.of({ platform: "linux", files: { ...HostReader.of({ platform: "linux" }).files, read: () => Effect.succeed("") } }), metrics).observe
      assert.strictEqual(observation.observed, "pass")
    }))
  it.effect("a full connection table fails", () =>
    Effect.gen(function*() {
      const files: Readonly<Record<string, string>> = { "/proc/sys/net/netfilter/nf_conntrack_count": "100\n", "/proc/sys/net/netfilter/nf_conntrack_max": "100\n" }
      const host = HostReader.of({ platform: "linux", kernelFile: (path) => Effect.succeed(files[path]), ask: () => Effect.void })
      assert.strictEqual((yield* NetworkCheck.make(host, metrics, { dnsServers: ["127.0.0.1"] }).observe).reason, "conntrack table full")
    }))
})

describe("services and time", () => {
  it.effect("kubelet: the state of the service only overrides a pass", () =>
    Effect.gen(function*() {
      const svcs = (state: string) => ({ "svcs -H": `${state} - 12 svc:/application/reddwarf/agent:default\n` })
      const look = (state: string, status = 200, allowDegraded = false) =>
        ServiceChecks.kubelet(illumos(svcs(state), { get: () => Effect.succeed({ status, body: "" }) }), { service: agent, allowDegraded }).observe
      assert.strictEqual((yield* look("online")).observed, "pass")
      assert.strictEqual((yield* look("online", 500)).reason, "status 500")
      assert.strictEqual((yield* look("online", 302)).reason, "status 302")
      assert.strictEqual((yield* look("maintenance")).reason, "svc in maintenance")
      for (const state of ["offline", "disabled", "uninitialized", "degraded"]) assert.strictEqual((yield* look(state)).reason, `svc ${state}`)
      assert.strictEqual((yield* look("degraded", 200, true)).observed, "pass")
    }))
  it("clocks", () => {
    assert.strictEqual(ServiceChecks.parseChrony("A9FEA97B,169.254.169.123,4,1700000000.1,-0.000003,0.1,0.1,0.1,0.1,0.1,0.1,0.1,16.1,Normal\n"), -0.000003)
    assert.strictEqual(ServiceChecks.parseChrony("00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n"), undefined)
    assert.strictEqual(ServiceChecks.parseNtpq("     remote           refid      st t when poll reach   delay   offset  jitter\n====\n*10.0.0.1  .GPS. 1 u 33 64 377 0.1 -1500.0 0.02\n"), -1.5)
    assert.strictEqual(ServiceChecks.parseNtpq("No association ID's returned\n"), undefined)
  })
})

describe("disk_pressure", () => {
  it("thresholds: kubelet's notation; naming one keeps the others", () => {
    assert.deepStrictEqual(Thresholds.parse("nodefs.available<10%"), Either.right({ signal: "nodefs.available" as const, percent: 10 }))
    assert.deepStrictEqual(Thresholds.parse(" imagefs.available < 1.5Gi "), Either.right({ signal: "imagefs.available" as const, amount: 1.5 * 1024 ** 3 }))
    for (const text of ["", "nodefs<10%", "nodefs.available>10%", "nodefs.available<101%", "nodefs.available<1Xi", "memory.available<1Gi"]) assert.isTrue(Either.isLeft(Thresholds.parse(text)), text)
    assert.deepStrictEqual(Thresholds.override([{ signal: "nodefs.available", percent: 3 }]).map(({ percent }) => percent), [3, 15, 5, 5])
  })
  it("datasets honour quotas, file systems their inodes", () => {
    const [level] = DiskPressureCheck.datasetLevels("nodefs", "rpool/zones", "rpool/zones\tavailable\t300\t-\nrpool/zones\tused\t700\t-\n")
    assert.deepStrictEqual(level, { signal: "nodefs.available", free: 300, total: 1000 })
    assert.strictEqual(DiskPressureCheck.spaceLevels("imagefs", { total: 10, available: 5, inodes: 100, inodesFree: 4 }).length, 2)
  })
})
