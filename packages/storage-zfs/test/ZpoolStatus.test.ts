import { assert, describe, it } from "@effect/vitest"
import * as ZpoolStatus from "../src/ZpoolStatus.js"

const degraded = `  pool: tank
 state: DEGRADED
status: One or more devices has been taken offline by the administrator.
\tSufficient replicas exist for the pool to continue functioning in a
\tdegraded state.
action: Online the device using 'zpool online' or replace the device with
\t'zpool replace'.
  scan: scrub in progress since Thu Nov 20 10:05:07 2025
    1.2G scanned out of 10G at 100M/s, 0h1m to go
    0 repaired, 12.00% done
config:

\tNAME        STATE     READ WRITE CKSUM
\ttank        DEGRADED     0     0     0
\t  mirror-0  DEGRADED     0     0     0
\t    c1t0d0  ONLINE       0     0     0
\t    c1t1d0  OFFLINE      3 1.2K     0  too many errors
\tspares
\t  c1t9d0    AVAIL

errors: No known data errors
`

const healthy = `  pool: rpool
 state: ONLINE
 scrub: none requested
config:

\tNAME                   STATE     READ WRITE CKSUM
\trpool                  ONLINE       0     0     0
\t  /var/tmp/pool.img    ONLINE       0     0     0

errors: Permanent errors have been detected in the following files:

        /rpool/file
`

describe("ZpoolStatus", () => {
  it("reads states, devices, errors and the scrub of several pools", () => {
    const [tank, rpool, ...more] = ZpoolStatus.parse(`${degraded}\n${healthy}`)
    assert.deepStrictEqual(more, [])
    assert.strictEqual(tank?.state, "DEGRADED")
    assert.strictEqual(tank?.scrubbing, true)
    assert.match(tank?.problem ?? "", /taken offline .* degraded state\.$/)
    assert.match(tank?.action ?? "", /^Online the device .* 'zpool replace'\.$/)
    assert.deepStrictEqual(tank?.devices.map(({ errors, level, name, note, state }) => [level, name, state, errors.read, errors.write, note]), [
      [0, "tank", "DEGRADED", 0, 0, undefined],
      [1, "mirror-0", "DEGRADED", 0, 0, undefined],
      [2, "c1t0d0", "ONLINE", 0, 0, undefined],
      [2, "c1t1d0", "OFFLINE", 3, 1229, "too many errors"],
      [1, "c1t9d0", "AVAIL", 0, 0, undefined]
    ])
    assert.strictEqual(tank?.dataErrors, false)
    assert.strictEqual(rpool?.pool, "rpool")
    assert.strictEqual(rpool?.problem, undefined)
    assert.strictEqual(rpool?.scan, "none requested")
    assert.strictEqual(rpool?.dataErrors, true)
  })

  it("finds nothing where there is nothing", () => {
    assert.deepStrictEqual(ZpoolStatus.parse("no pools available\n"), [])
    assert.deepStrictEqual(ZpoolStatus.parse(""), [])
    assert.isUndefined(ZpoolStatus.parseIostat("no pools available\n", "tank"))
  })

  it("reads how busy a pool is", () => {
    const text = "               capacity     operations    bandwidth\npool        alloc   free   read  write   read  write\n----------  -----  -----  -----  -----  -----  -----\n"
      + "tank        1.67M   502M     27  2.08K  1.70M  11.2M\n"
    assert.deepStrictEqual(ZpoolStatus.parseIostat(text, "tank"), {
      pool: "tank",
      allocated: Math.round(1.67 * 1024 ** 2),
      free: 502 * 1024 ** 2,
      readOperations: 27,
      writeOperations: Math.round(2.08 * 1024),
      readBytes: Math.round(1.7 * 1024 ** 2),
      writeBytes: Math.round(11.2 * 1024 ** 2)
    })
  })
})
