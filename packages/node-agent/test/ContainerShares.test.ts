import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as containerShares from "../src/internal/containerShares.js"

const zone = (cpuNanos: number, bootTime = 1) => ({ zone: "z", zoneId: 7, bootTime, cpuNanos })
const running = (name: string, attempt = 0) => ({ name, attempt, pid: name.charCodeAt(0) })
const seconds = (values: Readonly<Record<string, number>>) => ({ name }: { readonly name: string }) => values[name] ?? 0
const nanos = (shares: containerShares.Shares) => Object.fromEntries([...shares.containers].map(([name, share]) => [name, share.cpuNanos]))

describe("the time of a zone, shared among its containers", () => {
  it("is all of one container's, also what its children used that are gone", () => {
    const first = containerShares.next(undefined, zone(1000), [running("a")], seconds({}))
    assert.deepStrictEqual(nanos(first), { a: 1000 })
    assert.deepStrictEqual(nanos(containerShares.next(first, zone(5000), [running("a")], seconds({}))), { a: 5000 })
  })

  it("is divided as the living processes used it", () => {
    const first = containerShares.next(undefined, zone(0), [running("a"), running("b")], seconds({ a: 10, b: 10 }))
    const second = containerShares.next(first, zone(4000), [running("a"), running("b")], seconds({ a: 13, b: 11 }))
    assert.deepStrictEqual(nanos(second), { a: 3000, b: 1000 })
    // Too little time for a difference in whole seconds.
    const third = containerShares.next(second, zone(4400), [running("a"), running("b")], seconds({ a: 13, b: 11 }))
    assert.deepStrictEqual(nanos(third), { a: 3300, b: 1100 })
  })

  it("waits at first until it is known whose it is, though not for ever", () => {
    const first = containerShares.next(undefined, zone(900), [running("a"), running("b")], seconds({}))
    assert.deepStrictEqual(nanos(first), { a: 0, b: 0 })
    assert.deepStrictEqual(nanos(containerShares.next(first, zone(1900), [running("a"), running("b")], seconds({ b: 1 }))), { a: 0, b: 1900 })
    assert.deepStrictEqual(nanos(containerShares.next(first, zone(4e9), [running("a"), running("b")], seconds({}))), { a: 2e9, b: 2e9 })
  })

  it("begins anew with each attempt and each boot", () => {
    const first = containerShares.next(undefined, zone(4000), [running("a"), running("b")], seconds({ a: 1, b: 1 }))
    const restarted = containerShares.next(first, zone(6000), [running("a", 1), running("b")], seconds({ a: 1, b: 2 }))
    assert.deepStrictEqual(nanos(restarted), { a: 1000, b: 3000 })
    const booted = containerShares.next(restarted, zone(500, 2), [running("a", 1), running("b")], seconds({ a: 1, b: 0 }))
    assert.deepStrictEqual(nanos(booted), { a: 500, b: 0 })
  })

  it("never counts down and never gives more than the zone used", () => {
    const look = fc.record({ used: fc.nat(1_000_000), a: fc.nat(50), b: fc.nat(50) })
    fc.assert(fc.property(fc.array(look, { maxLength: 20 }), (looks) => {
      let shares: containerShares.Shares | undefined
      let total = 0
      for (const { a, b, used } of looks) {
        total += used
        const before = shares === undefined ? {} : nanos(shares)
        shares = containerShares.next(shares, zone(total), [running("a"), running("b")], seconds({ a, b }))
        const after = nanos(shares)
        for (const name of ["a", "b"]) assert.isAtLeast(after[name] ?? 0, before[name] ?? 0)
        assert.isAtMost(Math.abs((after["a"] ?? 0) + (after["b"] ?? 0) - total), looks.length)
      }
    }))
  })

  it("counts a process to the nearest container above it, by parents, process group and session", () => {
    const process = (pid: number, parent: number, group = pid, session = pid) => ({ pid, parent, group, session, zoneId: 7, rss: 1, size: 1, cpuSeconds: 0 })
    const table = [process(10, 1), process(11, 10), process(12, 11), process(20, 1), process(21, 1, 99, 20), process(22, 1, 10, 98), process(30, 1), process(41, 42), process(42, 41)]
    const members = containerShares.processesOf([10, 20], table)
    assert.deepStrictEqual([...members].map(([root, found]) => [root, found.map(({ pid }) => pid)]), [[10, [10, 11, 12, 22]], [20, [20, 21]]])
  })
})
