import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck as fc } from "effect"
import * as BrandSelection from "../src/BrandSelection.js"
import * as CommandRunner from "../src/CommandRunner.js"
import { allRootFiles } from "../src/internal/brandParts.js"
import * as zoneRoot from "../src/internal/zoneRoot.js"
import { toConfig } from "../src/internal/zoneSpecConfig.js"
import * as LinkName from "../src/LinkName.js"
import type * as ZoneBrand from "../src/ZoneBrand.js"
import * as ZoneBrands from "../src/ZoneBrands.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneName from "../src/ZoneName.js"
import * as ZoneResources from "../src/ZoneResources.js"
import type { ZoneSpec } from "../src/ZoneSpec.js"

const zone = ZoneName.make("web-1")
const base: ZoneSpec = {
  zoneName: zone,
  zonepath: "/zones/web-1",
  brand: "sparse",
  attributes: [{ name: "reddwarf-uid", value: "u-1" }],
  network: [
    { link: LinkName.make("rd_web_0"), address: "10.88.0.7/16", defaultRouter: "10.88.0.1" },
    { link: LinkName.make("rd_web_0"), address: "fd00::7/64", defaultRouter: "fd00::1" }
  ],
  fileSystems: [],
  dns: { nameservers: ["10.96.0.10"], searches: ["default.svc.cluster.local", "svc.cluster.local"], options: ["ndots:5"] }
}

const configOf = (spec: ZoneSpec) => toConfig(ZoneBrands.profileOf(ZoneBrands.standard, spec.brand), spec)
const attributesOf = (spec: ZoneSpec) =>
  Object.fromEntries(Either.getOrThrow(configOf(spec)).attr.map(({ name, value }) => [name, value]))
const refusalOf = (spec: ZoneSpec) => Either.match(configOf(spec), { onLeft: (error) => error.message, onRight: () => "accepted" })

describe("ZoneBrands", () => {
  it("every brand makes a configuration that can be written", () => {
    for (const name of ZoneBrands.standard.keys()) {
      const spec = { ...base, brand: name, ...(name === "bhyve" ? { machine: { bootDisk: "rpool/vm/root" } } : {}) }
      assert.isTrue(Either.isRight(Either.flatMap(configOf(spec), (config) => ZoneConfig.render(zone, config))), name)
    }
  })

  it("lx: kernel version, resolvers and its image", () => {
    const spec = { ...base, brand: "lx", kernelVersion: "5.10.0", image: "rpool/images/alpine@base" }
    assert.deepInclude(attributesOf(spec), { "kernel-version": "5.10.0", resolvers: "10.96.0.10", "dns-domain": "default.svc.cluster.local" })
    assert.deepStrictEqual(Either.getOrThrow(ZoneBrands.lx.installArguments(spec)), ["-s", "rpool/images/alpine@base"])
    assert.include(refusalOf({ ...spec, kernelVersion: "new" }), "no Linux release")
    assert.isTrue(Either.isLeft(ZoneBrands.lx.installArguments({ ...base, brand: "lx" })))
  })

  it("bhyve: disks are handed over as devices, and the caps leave room for the emulation", () => {
    const resources = ZoneResources.fromDemand({
      serviceClass: "Guaranteed",
      cpuRequestMillis: 2000,
      cpuLimitMillis: 2000,
      memoryLimitBytes: 2 * 1024 ** 3
    })
    const spec = {
      ...base,
      brand: "bhyve",
      resources,
      machine: { bootDisk: "rpool/vm1/root", disks: ["rpool/vm1/data"], cloudInit: true, sshKey: "ssh-ed25519 AAAA u@h", console: "/dev/zconsole" }
    }
    const config = Either.getOrThrow(configOf(spec))
    assert.deepStrictEqual(config.device, ["/dev/zvol/rdsk/rpool/vm1/root*", "/dev/zvol/rdsk/rpool/vm1/data*"])
    assert.deepInclude(attributesOf(spec), {
      bootdisk: "rpool/vm1/root",
      disk0: "rpool/vm1/data",
      vcpus: "2",
      ram: "2048M",
      "cloud-init": "on",
      resolvers: "10.96.0.10"
    })
    assert.isTrue((config.cappedMemory?.physical ?? 0n) > 2n * 1024n ** 3n)
    assert.include(refusalOf({ ...base, brand: "bhyve" }), "boots from a disk")
    assert.include(refusalOf({ ...base, brand: "bhyve", machine: { bootDisk: "../etc" } }), "not the name of a volume")
  })

  it("a variant keeps the brand of the host it stands on", () => {
    const brands = ZoneBrands.register(ZoneBrands.standard, { ...ZoneBrands.sparse, name: "small", base: "sparse" })
    assert.strictEqual(Either.getOrThrow(ZoneBrands.configurationOf(brands, { ...base, brand: "small" })).brand, "sparse")
  })

  it("a brand of one's own takes the place of the one of its name", () => {
    const traced = {
      ...ZoneBrands.sparse,
      configure: (spec: ZoneSpec, config: ZoneConfig.ZoneConfig) =>
        ZoneBrands.sparse.configure(spec, { ...config, limitpriv: "default,dtrace_proc" })
    }
    const brands = ZoneBrands.register(ZoneBrands.standard, traced)
    assert.strictEqual(Either.getOrThrow(toConfig(ZoneBrands.profileOf(brands, "sparse"), base)).limitpriv, "default,dtrace_proc")
  })
})

describe("BrandSelection", () => {
  const offer: BrandSelection.Offer = {
    brands: ZoneBrands.standard,
    installed: [{ name: "sparse" }, { name: "lx" }, { name: "bhyve", unusable: "the CPUs offer no hardware virtualisation" }],
    defaultBrand: "sparse",
    needsProcesses: true
  }
  const linux = { os: "linux", architecture: "amd64" }
  const name = (request: BrandSelection.Request, other: Partial<BrandSelection.Offer> = {}) =>
    Either.match(BrandSelection.choose(request, { ...offer, ...other }), { onLeft: (error) => error.message, onRight: ({ because, brand }) => `${brand.name} by ${because}` })

  it("takes what is asked for, else what suits the image, else the default", () => {
    assert.strictEqual(name({}), "sparse by default")
    assert.strictEqual(name({ platform: linux }), "lx by platform")
    assert.strictEqual(name({ platform: { os: "illumos", architecture: "amd64" } }), "sparse by default")
    assert.strictEqual(name({ annotation: "lx" }), "lx by annotation")
    assert.strictEqual(name({ handler: "lx", platform: linux }), "lx by runtimeClass")
    assert.strictEqual(name({ image: "lx" }), "lx by image")
  })

  it("says what cannot be, and what could", () => {
    assert.strictEqual(
      name({ annotation: "lx", handler: "sparse" }),
      "the annotation asks for a zone of brand lx, the runtime class for one of brand sparse; remove one of the two"
    )
    assert.strictEqual(
      name({ handler: "ipkg" }),
      "this host cannot run zones of brand ipkg: the brand is not installed; it has sparse, lx"
    )
    assert.include(name({ handler: "bhyve" }), "containers are processes that the host starts")
    assert.include(name({ handler: "bhyve" }, { needsProcesses: false }), "no hardware virtualisation")
    assert.include(name({ handler: "gvisor" }), "not a brand this program knows")
    assert.strictEqual(
      name({ handler: "sparse", platform: linux }),
      "zones of brand sparse do not run programs of linux/amd64; use an image for illumos/amd64 or solaris/amd64"
    )
    assert.strictEqual(
      name({ platform: { os: "linux", architecture: "arm64" } }),
      "no zone of this host runs programs of linux/arm64; use an image for illumos/amd64 or linux/amd64"
    )
  })

  const word = fc.constantFrom("sparse", "lx", "bhyve", "ipkg", "nothing", "", undefined)
  it.prop(
    "never gives a brand that the host cannot run, or that cannot run the image",
    [fc.record({ annotation: word, handler: word, image: word, platform: fc.constantFrom(linux, { os: "illumos", architecture: "amd64" }, { os: "linux", architecture: "arm64" }, undefined) })],
    ([request]) => {
      const choice = BrandSelection.choose(request, offer)
      if (Either.isLeft(choice)) return
      const { brand } = choice.right
      assert.include(["sparse", "lx"], brand.name)
      const { platform } = request
      if (platform !== undefined) assert.isTrue(brand.platforms.some(({ architecture, os }) => os === platform.os && architecture === platform.architecture))
    }
  )
})

/** A root made of links, folders and files, behind the four commands that are used on it. */
const rootHost = (tree: Record<string, string>) => {
  const written: Record<string, string> = {}
  const root = "/zones/web-1/root"
  const kind = (path: string): string | undefined => path === root ? "d" : tree[path.slice(root.length + 1)]
  const runner = CommandRunner.layerTest((line, temporary) => {
    const [, second = "", third = ""] = line.args
    if (line.program === "/usr/bin/ls") {
      const shown = line.args.slice(1).map((path) => ({ path, what: kind(path) }))
      return CommandRunner.result({
        exitCode: shown.some(({ what }) => what === undefined) ? 2 : 0,
        stdout: shown.flatMap(({ path, what }) =>
          what === undefined ? [] : [what.startsWith("->") ? `lrwxrwxrwx   1 root root 7 Nov 21 09:00 ${path} ${what}\n` : `${what}rwxr-xr-x   1 root root 7 Nov 21 09:00 ${path}\n`]).join(""),
        stderr: shown.flatMap(({ path, what }) => what === undefined ? [`${path}: No such file or directory\n`] : []).join("")
      })
    }
    if (line.program === "/usr/bin/cp") {
      const to = line.args.at(-1) ?? ""
      const into = kind(to) === "d" || to === root
      for (const source of line.args.slice(0, -1)) written[into ? `${to}${source.slice(source.lastIndexOf("/"))}` : to] = temporary.get(source) ?? ""
    }
    if (line.program === "/usr/bin/mv") {
      written[third] = written[second] ?? ""
      delete written[second]
    }
    return CommandRunner.result()
  })
  const prepare = (files: Parameters<typeof zoneRoot.prepare>[3]) =>
    Effect.flatMap(CommandRunner.CommandRunner, (commands) => zoneRoot.prepare(commands, zone, root, files)).pipe(Effect.provide(runner))
  return { written, prepare }
}

describe("the files of a zone", () => {
  const named = { ...base, hostname: "db-0", dns: { nameservers: ["10.96.0.10"], searches: ["a.test"], options: ["ndots:5"] }, rootFiles: [{ path: "/etc/hosts", content: "127.0.0.1\tlocalhost\n", mode: 0o644 }] }

  it.effect("are those of its brand and its own, where the zone would find them", () =>
    Effect.gen(function*() {
      const host = rootHost({ etc: "d", "etc/hosts": "-> ./inet/hosts", "etc/inet": "d", "etc/inet/hosts": "-" })
      yield* host.prepare(allRootFiles(ZoneBrands.sparse, { ...named, brand: "sparse" }))
      assert.deepStrictEqual(Object.keys(host.written).sort(), ["etc/inet/hosts", "etc/nodename", "etc/nsswitch.conf", "etc/resolv.conf"].map((path) => `/zones/web-1/root/${path}`))
      assert.strictEqual(host.written["/zones/web-1/root/etc/nodename"], "db-0\n")
      assert.strictEqual(host.written["/zones/web-1/root/etc/inet/hosts"], "127.0.0.1\tlocalhost\n")
    }))

  it("are fewer where the brand does it, and none where the zone is a machine", () => {
    const paths = (brand: ZoneBrand.ZoneBrand) => allRootFiles(brand, { ...named, brand: brand.name }).map(({ path }) => path)
    assert.deepStrictEqual(paths(ZoneBrands.lx).slice(2), ["/etc/hostname", "/etc/hosts"])
    assert.deepStrictEqual(paths(ZoneBrands.bhyve), [])
  })

  it.effect("are written over no device that an image brings", () =>
    Effect.gen(function*() {
      for (const kind of ["b", "c", "p"]) {
        const error = yield* Effect.flip(rootHost({ etc: "d", "etc/hosts": kind }).prepare(named.rootFiles))
        assert.include(error.message, "/etc/hosts is a device, a FIFO or a socket")
      }
    }))
})

describe("the root of a Linux zone", () => {
  const files = ZoneBrands.lx.rootFiles({ ...base, brand: "lx" })

  it.effect("gets an init and a distribution when the image has neither", () =>
    Effect.gen(function*() {
      const host = rootHost({ etc: "d", bin: "d", "bin/sh": "-", sbin: "d" })
      yield* host.prepare(files)
      assert.deepStrictEqual(Object.keys(host.written), ["/zones/web-1/root/etc/alpine-release", "/zones/web-1/root/sbin/init"])
      assert.match(host.written["/zones/web-1/root/sbin/init"] ?? "", /^#!\/bin\/sh\n/)
    }))

  it.effect("is left alone when it has both", () =>
    Effect.gen(function*() {
      const host = rootHost({ etc: "d", "etc/debian_version": "-", sbin: "-> usr/sbin", usr: "d", "usr/sbin": "d", "usr/sbin/init": "-" })
      yield* host.prepare(files)
      assert.deepStrictEqual(host.written, {})
    }))

  it.effect("is written where the zone would find it, and never outside", () =>
    Effect.gen(function*() {
      const host = rootHost({ etc: "-> ../../../outside", sbin: "-> /usr/sbin", usr: "d", "usr/sbin": "d", bin: "-> usr/bin", "usr/bin": "d", "usr/bin/sh": "-" })
      yield* host.prepare(files)
      assert.deepStrictEqual(Object.keys(host.written), ["/zones/web-1/root/outside/alpine-release", "/zones/web-1/root/usr/sbin/init"])
    }))

  it.effect("is refused without a shell, and when links go round in circles", () =>
    Effect.gen(function*() {
      const empty = yield* Effect.flip(rootHost({ etc: "d", "etc/alpine-release": "-" }).prepare(files))
      assert.strictEqual(empty._tag, "ZoneRootRejected")
      assert.include(empty.message, "the image has no /sbin/init, and without /bin/sh none can be given to it")
      const round = yield* Effect.flip(rootHost({ etc: "-> etc" }).prepare(files))
      assert.include(round.message, "too many links")
    }))
})
