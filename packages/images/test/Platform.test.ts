import { assert, describe, it } from "@effect/vitest"
import { Platform } from "../src/index.js"

const entry = (text: string, brand?: string) => ({
  platform: Platform.parse(text),
  ...(brand === undefined ? {} : { annotations: { [Platform.brandAnnotation]: brand } })
})

describe("Platform", () => {
  it.each([
    ["lx", ["linux/arm64", "linux/amd64", "illumos/amd64"], "linux/amd64"],
    ["lx", ["linux/amd64/v3", "linux/amd64"], "linux/amd64"],
    ["lx", ["windows/amd64", "illumos/amd64"], undefined],
    ["lx", ["linux/amd64/v3"], undefined],
    ["sparse", ["linux/amd64", "sunos/amd64", "solaris/amd64"], "solaris/amd64"],
    ["pkgsrc", ["solaris/amd64", "illumos/amd64"], "illumos/amd64"],
    ["ipkg", ["solaris/x86_64"], "solaris/amd64"]
  ])("for a zone of brand %s takes of %j: %s", (brand, offered, expected) => {
    const found = Platform.select(Platform.forBrand(brand), offered.map((text) => entry(text)))
    assert.strictEqual(found?.platform === undefined ? undefined : Platform.format(found.platform), expected)
  })

  it("takes what is meant for the brand before what only fits, and never what is meant for another", () => {
    const offered = [entry("illumos/amd64"), entry("illumos/amd64", "pkgsrc"), entry("illumos/amd64", "ipkg")]
    assert.strictEqual(Platform.select(Platform.forBrand("pkgsrc"), offered), offered[1])
    assert.strictEqual(Platform.select(Platform.forBrand("sparse"), offered), offered[0])
    assert.isUndefined(Platform.select(Platform.forBrand("sparse"), offered.slice(1)))
  })

  it("runs the variants below its own, the highest first", () => {
    const wanted = Platform.only({ os: "linux", architecture: "amd64", variant: "v3" })
    const offered = ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"].map((text) => entry(text))
    assert.strictEqual(Platform.select(wanted, offered), offered[1])
    assert.strictEqual(Platform.select(Platform.only({ os: "linux", architecture: "arm64", variant: "v8" }), [entry("linux/arm64")])?.platform?.os, "linux")
  })

  it("knows which kind of brand a platform is for", () => {
    assert.deepStrictEqual(["linux/amd64", "illumos/amd64", "sunos/amd64", "windows/amd64"].map((text) => {
      const platform = Platform.parse(text)
      return platform === undefined ? "none" : Platform.brandKind(platform)
    }), ["lx", "native", "native", undefined])
    assert.isUndefined(Platform.parse("linux"))
    assert.isUndefined(Platform.parse("linux/amd64/v2/x"))
  })
})
