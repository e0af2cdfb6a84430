/** A pod that uses nearly everything a pod can have. */

/** Valid as it is. */
export const wholePod = {
  metadata: {
    name: "p",
    namespace: "default",
    labels: { app: "x", "app.kubernetes.io/name": "y" },
    annotations: { "example.com/Note": "é" },
    ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "u", controller: true }],
    finalizers: ["example.com/f", "orphan"]
  },
  spec: {
    serviceAccountName: "default",
    hostname: "h",
    subdomain: "s",
    priorityClassName: "p",
    runtimeClassName: "r",
    volumes: [
      { name: "data", emptyDir: { sizeLimit: "1Gi" } },
      {
        name: "conf",
        configMap: { name: "m", defaultMode: 420, items: [{ key: "k", path: "a/b", mode: 256 }, { key: "l", path: "c" }] }
      },
      {
        name: "tok",
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
            { configMap: { items: [{ key: "ca.crt", path: "ca.crt" }], name: "root" } },
            { secret: { name: "s", items: [{ key: "x", path: "y" }] } },
            {
              downwardAPI: {
                items: [
                  { fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" }, path: "namespace" },
                  { path: "cpu", resourceFieldRef: { containerName: "c", resource: "limits.cpu", divisor: "1m" } }
                ]
              }
            },
            { clusterTrustBundle: { name: "b", path: "bundle" } }
          ]
        }
      },
      {
        name: "eph",
        ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } } }
      },
      { name: "pvc", persistentVolumeClaim: { claimName: "z" } },
      { name: "host", hostPath: { path: "/a", type: "Directory" } },
      { name: "sec", secret: { secretName: "s" } },
      { name: "dw", downwardAPI: { items: [{ path: "l", fieldRef: { fieldPath: "metadata.labels" } }] } },
      { name: "img", image: { reference: "x", pullPolicy: "Always" } },
      { name: "nfs", nfs: { server: "s", path: "/p" } },
      { name: "is", iscsi: { targetPortal: "t", iqn: "iqn.x", lun: 0 } }
    ],
    resourceClaims: [{ name: "rc", resourceClaimName: "rcn" }, { name: "rd", resourceClaimTemplateName: "rcn" }],
    initContainers: [
      { name: "init", image: "busybox:1" },
      {
        name: "proxy",
        image: "envoy:1",
        restartPolicy: "Always",
        startupProbe: { tcpSocket: { port: 80 } },
        ports: [{ containerPort: 9, hostPort: 9 }]
      }
    ],
    nodeSelector: { "kubernetes.io/os": "illumos" },
    tolerations: [{ operator: "Exists" }, { key: "a", value: "b", effect: "NoExecute", tolerationSeconds: 1 }],
    schedulingGates: [{ name: "example.com/g" }, { name: "g2" }],
    readinessGates: [{ conditionType: "example.com/r" }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: "a", operator: "Gt", values: ["1"] }, { key: "b", operator: "In", values: ["x", "y"] }],
              matchFields: [{ key: "metadata.name", operator: "In", values: ["n"] }]
            }
          ]
        },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: "a", operator: "Exists" }] } }]
      },
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: "zone",
            labelSelector: { matchLabels: { a: "b" }, matchExpressions: [{ key: "c", operator: "In", values: ["d"] }] },
            namespaces: ["x"],
            matchLabelKeys: ["k"],
            mismatchLabelKeys: ["l"]
          }
        ]
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "x" } } } }]
      }
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "zone",
        whenUnsatisfiable: "DoNotSchedule",
        minDomains: 2,
        labelSelector: { matchLabels: { app: "x" } },
        matchLabelKeys: ["v"],
        nodeAffinityPolicy: "Honor"
      },
      { maxSkew: 1, topologyKey: "zone2", whenUnsatisfiable: "DoNotSchedule" }
    ],
    securityContext: {
      runAsUser: 1000,
      fsGroup: 0,
      supplementalGroups: [1, 2],
      sysctls: [{ name: "net.a", value: "1" }, { name: "net.b", value: "1" }],
      seccompProfile: { type: "Localhost", localhostProfile: "a" },
      appArmorProfile: { type: "Localhost", localhostProfile: "a" },
      fsGroupChangePolicy: "Always"
    },
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["10.0.0.1"], searches: ["a_b.example."], options: [{ name: "ndots", value: "5" }] },
    hostAliases: [{ ip: "10.0.0.1", hostnames: ["a.b", "c"] }],
    os: { name: "linux" },
    overhead: { cpu: "1m" },
    activeDeadlineSeconds: 5,
    preemptionPolicy: "Never",
    containers: [
      {
        name: "c",
        image: "nginx",
        volumeMounts: [
          { name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true },
          { name: "conf", mountPath: "/conf", subPath: "x" },
          { name: "img", mountPath: "/img", mountPropagation: "None" },
          { name: "tok", mountPath: "/tok", subPathExpr: "$(X)" }
        ],
        volumeDevices: [{ name: "pvc", devicePath: "/dev/a" }, { name: "eph", devicePath: "/dev/b" }],
        env: [
          { name: "A", value: "1" },
          { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
          { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
          { name: "D", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
          { name: "E", valueFrom: { configMapKeyRef: { name: "s", key: "k" } } }
        ],
        envFrom: [{ prefix: "P_", configMapRef: { name: "m" } }, { secretRef: { name: "m" } }],
        ports: [{ name: "http", containerPort: 80 }, { name: "https", containerPort: 443, hostPort: 443 }],
        resources: {
          requests: { cpu: "100m", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" },
          limits: { cpu: "1", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" },
          claims: [{ name: "rc" }, { name: "rd", request: "x" }]
        },
        resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }, { resourceName: "memory", restartPolicy: "RestartContainer" }],
        readinessProbe: { httpGet: { port: "http", httpHeaders: [{ name: "X", value: "1" }] }, successThreshold: 2 },
        livenessProbe: { exec: { command: ["a"] } },
        startupProbe: { grpc: { port: 5 } },
        lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { httpGet: { port: 8 } } },
        securityContext: {
          runAsUser: 0,
          allowPrivilegeEscalation: false,
          procMount: "Default",
          capabilities: { add: ["X"] },
          seccompProfile: { type: "RuntimeDefault" }
        }
      },
      {
        name: "d",
        image: "x",
        ports: [{ name: "http", containerPort: 80 }],
        volumeMounts: [{ name: "data", mountPath: "/data" }]
      }
    ]
  }
}

/**
 * A place in `wholePod`, the value put there (undefined takes it away), and the problems in their order. The examples and the expression that
 * end the texts about names are left out.
 */
export type Mistake = readonly [path: string, value: unknown, lines: ReadonlyArray<string>]
