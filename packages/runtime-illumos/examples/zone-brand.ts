import { BrandSelection, LinkName, type ZoneBrand, ZoneBrands, ZoneConfig, ZoneName, ZoneResources } from "@reddwarf/runtime-illumos"
import { Console, Effect } from "effect"

// A brand of one's own: like `sparse`, with tracing inside.
const traced: ZoneBrand.ZoneBrand = {
  ...ZoneBrands.sparse,
  name: "traced",
  base: "sparse",
  configure: (spec, config) => ZoneBrands.sparse.configure(spec, { ...config, limitpriv: "default,dtrace_proc,dtrace_user" })
}
const brands = ZoneBrands.register(ZoneBrands.standard, traced)
const host = { brands, installed: [{ name: "sparse" }, { name: "lx" }], defaultBrand: "traced" }

const program = Effect.gen(function*() {
  // An image with Linux programs gets a zone that runs them; without one the default holds.
  const linux = yield* BrandSelection.choose({ platform: { os: "linux", architecture: "amd64" } }, host)
  yield* Console.log(`${linux.brand.name}, by ${linux.because}`)
  const refused = yield* Effect.flip(BrandSelection.choose({ annotation: "bhyve" }, host))
  yield* Console.log(refused.message)

  const name = ZoneName.make("web")
  const config = yield* ZoneBrands.configurationOf(brands, {
    zoneName: name,
    zonepath: "/zones/web",
    brand: "traced",
    attributes: [],
    network: [{ link: LinkName.make("web0"), address: "10.88.0.7/16", defaultRouter: "10.88.0.1" }],
    fileSystems: [],
    // Half a CPU at most, a quarter promised, and the three memory caps together.
    resources: ZoneResources.fromDemand({
      serviceClass: "Burstable",
      cpuRequestMillis: 250,
      cpuLimitMillis: 500,
      memoryLimitBytes: 256 * 1024 ** 2
    })
  })
  yield* Console.log(yield* ZoneConfig.render(name, config))
})

await Effect.runPromise(program)
