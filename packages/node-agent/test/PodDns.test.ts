import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { PodDns, PodHosts } from "@reddwarf/node-agent"

const cluster: PodDns.ClusterDns = { servers: ["10.96.0.10"], domain: "cluster.local" }
const node: PodDns.Resolver = { nameservers: ["192.0.2.53"], searches: ["example.org"], options: ["rotate"] }

const pod = (spec: Partial<CoreV1.PodSpec> = {}, name = "web"): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", uid: "1" },
  spec: { containers: [], ...spec }
})

const clusterFirst = {
  nameservers: ["10.96.0.10"],
  searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.org"],
  options: ["ndots:5"]
}
const asNode = { nameservers: ["192.0.2.53"], searches: ["example.org"], options: ["rotate"] }

describe("PodDns", () => {
  it("gives a pod what its policy says", () => {
    const of = (dnsPolicy?: string, servers = cluster.servers) =>
      PodDns.of(pod(dnsPolicy === undefined ? {} : { dnsPolicy }), { ...cluster, servers }, node).dns
    assert.deepStrictEqual(of(), clusterFirst)
    assert.deepStrictEqual(of("ClusterFirst"), clusterFirst)
    assert.deepStrictEqual(of("ClusterFirstWithHostNet"), clusterFirst)
    assert.deepStrictEqual(of("Default"), asNode)
    assert.deepStrictEqual(of("None"), { nameservers: [], searches: [], options: [] })
    // A cluster without name servers of its own.
    assert.deepStrictEqual(of("ClusterFirst", []), asNode)
  })

  it("adds what the pod wants, whose options win, and nothing twice", () => {
    const dnsConfig = {
      nameservers: ["192.0.2.1", "10.96.0.10"],
      searches: ["cluster.local", "own.test"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }]
    }
    assert.deepStrictEqual(PodDns.of(pod({ dnsConfig }), cluster, node).dns, {
      nameservers: ["10.96.0.10", "192.0.2.1"],
      searches: [...clusterFirst.searches, "own.test"],
      options: ["ndots:2", "edns0"]
    })
    assert.deepStrictEqual(PodDns.of(pod({ dnsPolicy: "None", dnsConfig }), cluster, node).dns.nameservers, ["192.0.2.1", "10.96.0.10"])
  })

  it("leaves out what no resolver would use, and says so", () => {
    const servers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    const { dns, events } = PodDns.of(pod({ dnsConfig: { nameservers: servers, searches: Array.from({ length: 40 }, (_, at) => `d${at}.test`) } }), cluster, node)
    assert.deepStrictEqual(dns.nameservers, ["10.96.0.10", "192.0.2.1", "192.0.2.2"])
    assert.strictEqual(dns.searches?.length, 32)
    assert.deepStrictEqual(events.map(({ reason }) => reason), ["DNSConfigForming", "DNSConfigForming"])
    assert.include(events[0]?.message ?? "", "the applied nameserver line is: 10.96.0.10 192.0.2.1 192.0.2.2")
    const long = PodDns.of(pod({ dnsConfig: { searches: Array.from({ length: 20 }, (_, at) => `${"x".repeat(150)}${at}.test`) } }), cluster, node)
    assert.isAtMost((long.dns.searches ?? []).join(" ").length, 2048)
    assert.include(long.events[0]?.message ?? "", "Search Line limits were exceeded")
  })

  it("reads resolv.conf as a resolver does", () => {
    const text = "# by hand\nnameserver 192.0.2.53 # first\nnameserver 2001:db8::53\ndomain old.test\nsearch a.test  b.test\noptions ndots:2 timeout:1\nsortlist 192.0.2.0\n"
    assert.deepStrictEqual(PodDns.parse(text), {
      nameservers: ["192.0.2.53", "2001:db8::53"],
      searches: ["a.test", "b.test"],
      options: ["ndots:2", "timeout:1"]
    })
    assert.deepStrictEqual(PodDns.parse(""), { nameservers: [], searches: [], options: [] })
  })
})

describe("PodHosts", () => {
  const own = (text: string): ReadonlyArray<string> => text.split("\n").slice(7)

  it("names the pod at all its addresses, and the hosts that it names itself", () => {
    const named = pod({ hostname: "db-0", subdomain: "db", hostAliases: [{ ip: "192.0.2.9", hostnames: ["one", "two"] }, { ip: "192.0.2.10" }] })
    assert.deepStrictEqual(own(PodHosts.file(named, ["10.88.0.7", "fd00:88::7"], "cluster.local")), [
      "10.88.0.7\tdb-0.db.shop.svc.cluster.local\tdb-0",
      "fd00:88::7\tdb-0.db.shop.svc.cluster.local\tdb-0",
      "",
      "# Entries added by HostAliases.",
      "192.0.2.9\tone\ttwo",
      ""
    ])
    assert.deepStrictEqual(own(PodHosts.file(pod(), ["10.88.0.7"], "cluster.local")), ["10.88.0.7\tweb", ""])
  })

  it("calls the pod by its name, short enough for a host", () => {
    assert.strictEqual(PodHosts.hostname(pod()), "web")
    assert.strictEqual(PodHosts.hostname(pod({}, `${"a".repeat(62)}-b`)), "a".repeat(62))
    assert.strictEqual(PodHosts.nodename(pod({ subdomain: "s", setHostnameAsFQDN: true }), "c.test"), "web.s.shop.svc.c.test")
    assert.strictEqual(PodHosts.nodename(pod({ subdomain: "s" }), "c.test"), "web")
  })

  it("is not written where a container mounts something of its own", () => {
    const count = (...dirs: ReadonlyArray<string>) => PodHosts.rootFiles(pod(), ["10.88.0.7"], "c.test", dirs.map((dir) => ({ dir }))).length
    assert.deepStrictEqual([count(), count("/etc/hostsfile", "/data"), count("/etc/hosts"), count("/etc")], [1, 1, 0, 0])
  })
})
