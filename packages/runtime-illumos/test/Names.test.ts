import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as LinkName from "../src/LinkName.js"
import * as ZoneName from "../src/ZoneName.js"

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?$/)
const identity = fc.record({ namespace: label, name: label, uid: fc.uuid() })

describe("ZoneName", () => {
  it.prop("names every pod with a name zonecfg accepts", [identity], ([pod]) => ZoneName.is(ZoneName.zoneNameOf(pod)))

  it.prop("keeps short namespaces and names readable", [fc.stringMatching(/^[a-z]{1,10}$/), fc.uuid()], ([name, uid]) =>
    ZoneName.zoneNameOf({ namespace: "default", name, uid }).startsWith(`default-${name}-`))

  it.prop("gives different pods different zones", [identity, identity], ([a, b]) =>
    JSON.stringify(a) === JSON.stringify(b) || ZoneName.zoneNameOf(a) !== ZoneName.zoneNameOf(b))

  it("does not mix up namespace and name, nor successive pods of one name", () => {
    const names = [
      { namespace: "a", name: "b-c", uid: "1" },
      { namespace: "a-b", name: "c", uid: "1" },
      { namespace: "a", name: "b-c", uid: "2" }
    ].map(ZoneName.zoneNameOf)
    assert.strictEqual(new Set(names).size, 3)
    assert.strictEqual(ZoneName.zoneNameOf({ namespace: "a", name: "b", uid: "1" }), ZoneName.zoneNameOf({ namespace: "a", name: "b", uid: "1" }))
  })

  it("refuses what zonecfg refuses", () => {
    for (const bad of ["", "global", "SUNWx", "-a", ".a", "a/b", "a b", "a".repeat(64), "ä"]) {
      assert.isFalse(ZoneName.is(bad), bad)
    }
    for (const good of ["a", "A_1.x-y", "globalx", "a".repeat(63)]) assert.isTrue(ZoneName.is(good), good)
  })
})

describe("LinkName", () => {
  const link = fc.record({ uid: fc.uuid(), name: label, namespace: label, index: fc.integer({ min: 0, max: 999 }) })

  it.prop("names every interface with a link name dladm accepts", [link], ([identity]) => {
    const name = LinkName.linkNameOf(identity)
    return LinkName.is(name) && name.startsWith(LinkName.podLinkPrefix) && /^[A-Za-z0-9_]+$/.test(name) &&
      name.endsWith(`_${identity.index}`)
  })

  it.prop("gives different interfaces different links", [link, link], ([a, b]) =>
    JSON.stringify(a) === JSON.stringify(b) || LinkName.linkNameOf(a) !== LinkName.linkNameOf(b))

  it("knows the rules of link names", () => {
    for (const good of ["net0", "k8sstub0", "a10", "_0", "vioif12", "a_0", "x1y20"]) assert.isTrue(LinkName.is(good), good)
    for (const bad of ["net", "net01", "0net0", "net-0", "a00", "7", "", `${"a".repeat(31)}0`]) {
      assert.isFalse(LinkName.is(bad), bad)
    }
  })
})
