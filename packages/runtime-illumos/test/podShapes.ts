/** Pods of many kinds as zones: what the transcripts in `golden/` are made from. */
import { createHash } from "node:crypto"
import * as LinkName from "../src/LinkName.js"
import type * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneName from "../src/ZoneName.js"
import type { ZoneSpec } from "../src/ZoneSpec.js"

/** One pod on one kind of host. */
export interface PodShape {
  /** Name of the transcript. */
  readonly name: string
  /** What is particular about it. */
  readonly title: string
  readonly dialect: ZoneConfig.Dialect
  readonly spec: ZoneSpec
}

const mebibyte = 1024n * 1024n
const gibibyte = 1024n * mebibyte

type Part = (spec: ZoneSpec) => ZoneSpec

interface Identity {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

const linkOf = (pod: Identity, index = 0) => LinkName.linkNameOf({ ...pod, index })

const base = (brand: string, pod: Identity): ZoneSpec => {
  const zoneName = ZoneName.zoneNameOf(pod)
  return {
    zoneName,
    zonepath: `/rpool/reddwarf/zones/${zoneName}`,
    brand,
    attributes: [
      { name: "reddwarf-namespace", value: pod.namespace },
      { name: "reddwarf-name", value: pod.name },
      { name: "reddwarf-uid", value: pod.uid }
    ],
    network: [],
    fileSystems: []
  }
}

const network = (pod: Identity, ...addresses: ReadonlyArray<readonly [index: number, address: string, router?: string]>): Part => (spec) => ({
  ...spec,
  network: addresses.map(([index, address, defaultRouter]) => ({ link: linkOf(pod, index), address, defaultRouter }))
})
const v4 = [0, "10.88.0.7/16", "10.88.0.1"] as const
const v6 = [0, "fd00:88::7/64", "fd00:88::1"] as const

const dns: Part = (spec) => ({
  ...spec,
  dns: { nameservers: ["10.96.0.10"], searches: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"], options: ["ndots:5"] }
})
const guaranteed: Part = (spec) => ({
  ...spec,
  resources: { cpuPercent: 200, cpuShares: 2048, physicalMemory: gibibyte, swap: gibibyte, lockedMemory: 256n * mebibyte, maxLwps: 4096, maxProcesses: 1024 }
})
const burstable: Part = (spec) => ({
  ...spec,
  resources: { cpuPercent: 50, cpuShares: 102, physicalMemory: 300n * mebibyte + 512n * 1024n, swap: 300n * mebibyte + 512n * 1024n }
})
const smallest: Part = (spec) => ({ ...spec, resources: { cpuPercent: 1, cpuShares: 2, physicalMemory: mebibyte, swap: 50n * mebibyte, maxLwps: 100, maxProcesses: 100 } })
const disks: Part = (spec) => ({ ...spec, resources: { ...spec.resources, zfsIoPriority: 100 } })

const mount = (uid: string, dir: string, volume: string, ...options: ReadonlyArray<string>) => ({
  dir,
  special: `/var/lib/reddwarf/pods/${uid}/volumes/${volume}`,
  type: "lofs",
  options
})
const volumes = (pod: Identity): Part => (spec) => ({
  ...spec,
  fileSystems: [
    mount(pod.uid, "/var/run/secrets/kubernetes.io/serviceaccount", "kube-api-access", "ro", "nodevices"),
    mount(pod.uid, "/etc/app config", "config map", "ro", "nodevices"),
    mount(pod.uid, "/var/cache/app", "cache"),
    { dir: "/scratch", special: "swap", type: "tmpfs", options: ["size=64m"] }
  ]
})
const manyVolumes = (pod: Identity): Part => (spec) => ({
  ...spec,
  fileSystems: Array.from({ length: 12 }, (_, index) => mount(pod.uid, `/mnt/volume-${index}`, `volume-${index}`, ...(index % 2 === 0 ? ["ro"] : [])))
})
const delegated: Part = (spec) => ({ ...spec, datasets: ["rpool/reddwarf/volumes/pgdata", "rpool/reddwarf/volumes/wal"] })
const image: Part = (spec) => ({ ...spec, image: "rpool/reddwarf/images/busybox@base" })
const archive: Part = (spec) => ({ ...spec, image: "/rpool/reddwarf/archives/alpine-3.20.tar" })
const kernel = (version: string): Part => (spec) => ({ ...spec, kernelVersion: version })
const privileges: Part = (spec) => ({ ...spec, privileges: "default,dtrace_proc,dtrace_user,!net_rawaccess" })
const attribute = (name: string, value: string): Part => (spec) => ({ ...spec, attributes: [...spec.attributes, { name, value }] })
const machine = (settings: NonNullable<ZoneSpec["machine"]>): Part => (spec) => ({ ...spec, machine: { ...spec.machine, ...settings } })
const bootDisk = machine({ bootDisk: "rpool/reddwarf/volumes/vm-root" })

/** From the name alone, so that one more shape does not change the others. */
const uidOf = (name: string): string => `7d4f0a51-0000-4000-8000-${createHash("sha256").update(name).digest("hex").slice(0, 12)}`

interface Row {
  readonly name: string
  readonly title: string
  readonly brand: string
  readonly dialect?: ZoneConfig.Dialect
  readonly pod?: { readonly namespace: string; readonly name: string }
  readonly parts: (pod: Identity) => ReadonlyArray<Part>
}

const native = (brand: string): ReadonlyArray<Row> => [
  { name: "minimal", title: "nothing but an identity", brand, parts: () => [] },
  { name: "network", title: "one address and name resolution", brand, parts: (pod) => [network(pod, v4), dns] },
  { name: "dual-stack", title: "an address of each family on one link", brand, parts: (pod) => [network(pod, v4, v6), dns] },
  { name: "guaranteed", title: "requests equal to limits, all caps", brand, parts: (pod) => [network(pod, v4), guaranteed] },
  { name: "volumes", title: "secrets, a cache and memory, with blanks in paths", brand, parts: (pod) => [network(pod, v4), volumes(pod)] },
  { name: "datasets", title: "delegated datasets", brand, parts: (pod) => [network(pod, v4), delegated] }
]

const rows: ReadonlyArray<Row> = [
  ...native("sparse"),
  { name: "burstable", title: "limits that are no whole MiB", brand: "sparse", parts: (pod) => [network(pod, v4), burstable] },
  { name: "smallest", title: "the least of each cap", brand: "sparse", parts: () => [smallest] },
  { name: "io-priority", title: "weight of input and output", brand: "sparse", parts: () => [disks] },
  { name: "privileges", title: "tracing, no raw sockets", brand: "sparse", parts: () => [privileges] },
  { name: "two-links", title: "two interfaces, one without a gateway", brand: "sparse", parts: (pod) => [network(pod, v4, [1, "192.168.7.5/24"])] },
  { name: "many-volumes", title: "a dozen mounts", brand: "sparse", parts: (pod) => [manyVolumes(pod)] },
  { name: "attributes", title: "values with every character but a quote", brand: "sparse", parts: () => [attribute("app.note", "a=b; [c] (d), #e 'f' \\g $h größer 漢字")] },
  {
    name: "long-name",
    title: "the longest names Kubernetes has",
    brand: "sparse",
    pod: { namespace: "n".repeat(63), name: `${"p".repeat(63)}.${"q".repeat(63)}` },
    parts: (pod) => [network(pod, v4)]
  },
  ...native("pkgsrc").filter(({ name }) => ["minimal", "network", "guaranteed"].includes(name)),
  ...native("lipkg").filter(({ name }) => ["minimal", "dual-stack", "volumes"].includes(name)),
  ...native("ipkg").filter(({ name }) => ["minimal", "network"].includes(name)),
  ...native("ipkg").map((row): Row => ({ ...row, name: `gate-${row.name}`, title: `${row.title}, on illumos-gate`, dialect: "gate" })),
  ...native("joyent").filter(({ name }) => ["minimal", "dual-stack", "guaranteed"].includes(name)),
  { name: "minimal", title: "programs of the global zone alone", brand: "joyent-minimal", parts: (pod) => [network(pod, v4), burstable] },
  { name: "image", title: "another distribution of illumos from its image", brand: "illumos", parts: (pod) => [image, network(pod, v4), dns] },
  ...native("lx").map((row): Row => ({ ...row, parts: (pod) => [image, ...row.parts(pod)] })),
  { name: "kernel-version", title: "a newer Linux release", brand: "lx", parts: (pod) => [image, network(pod, v4), kernel("5.10.0")] },
  { name: "archive", title: "installed from an archive", brand: "lx", parts: (pod) => [archive, network(pod, v4), dns, kernel("4.4")] },
  { name: "burstable", title: "a usual web server", brand: "lx", parts: (pod) => [image, network(pod, v4, v6), dns, burstable, volumes(pod)] },
  { name: "database", title: "a database with datasets of its own", brand: "lx", parts: (pod) => [image, network(pod, v4), guaranteed, delegated, disks] },
  { name: "minimal", title: "a machine with a boot disk", brand: "bhyve", parts: () => [bootDisk] },
  { name: "network", title: "with an address", brand: "bhyve", parts: (pod) => [bootDisk, network(pod, v4)] },
  { name: "dual-stack", title: "with an address of each family", brand: "bhyve", parts: (pod) => [bootDisk, network(pod, v4, v6)] },
  { name: "guaranteed", title: "CPUs and memory from limits", brand: "bhyve", parts: (pod) => [bootDisk, network(pod, v4), guaranteed] },
  { name: "disks", title: "further disks by NVMe", brand: "bhyve", parts: () => [bootDisk, machine({ disks: ["rpool/reddwarf/volumes/data", "rpool/reddwarf/volumes/logs"], diskInterface: "nvme" })] },
  { name: "cdrom", title: "booted from a medium", brand: "bhyve", parts: () => [machine({ cdrom: "/var/lib/reddwarf/iso/installer.iso", firmware: "BHYVE" })] },
  {
    name: "cloud-init",
    title: "set up by cloud-init",
    brand: "bhyve",
    parts: (pod) => [bootDisk, network(pod, v4), dns, machine({ cloudInit: true, sshKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBfexample admin@example" })]
  },
  { name: "cloud-init-url", title: "set up by cloud-init from elsewhere", brand: "bhyve", parts: (pod) => [bootDisk, network(pod, v4), machine({ cloudInit: "http://10.88.0.1:8080/seed/" })] },
  {
    name: "settings",
    title: "a guest with its own ideas of hardware",
    brand: "bhyve",
    parts: (pod) => [bootDisk, network(pod, v4), machine({ vcpus: 4, ramBytes: 4 * 1024 ** 3, netInterface: "e1000", settings: { type: "windows", hostbridge: "q35", vnc: "on", rng: "on" } })]
  }
]

/** Every shape, each with a name of its own. */
export const podShapes: ReadonlyArray<PodShape> = rows.map((row) => {
  const pod = { namespace: "default", name: `${row.brand}-${row.name}`, ...row.pod, uid: uidOf(`${row.brand}-${row.name}`) }
  return {
    name: `${row.brand}-${row.name}`,
    title: row.title,
    dialect: row.dialect ?? "omnios",
    spec: row.parts(pod).reduce((spec, part) => part(spec), base(row.brand, pod))
  }
})
