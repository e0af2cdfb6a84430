/** A pod that uses nearly everything a pod can have, and what is said when one thing in it is wrong. */

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
export const mistakes: ReadonlyArray<readonly [path: string, value: unknown, lines: ReadonlyArray<string>]> = [
  ["spec.nodeName", "n", ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"]],
  ["spec.hostNetwork", true, ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"']],
  ["spec.initContainers.0.livenessProbe", { exec: { command: ["x"] } }, [
    "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
  ]],
  ["spec.initContainers.1.ports", [{ containerPort: 9, hostPort: 9 }, { containerPort: 9, hostPort: 9 }], [
    'spec.initContainers[0].ports[1].hostPort: Duplicate value: "TCP//9"'
  ]],
  ["spec.initContainers.0.name", "c", ['spec.initContainers[0].name: Duplicate value: "c"']],
  ["spec.containers.1.restartPolicy", "Always", ["spec.containers[1].restartPolicy: Forbidden: may not be set for non-init containers"]],
  ["spec.containers.0.livenessProbe.httpGet", { port: "x--y", scheme: "FTP" }, [
    "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type"
  ]],
  ["spec.containers.0.livenessProbe.successThreshold", 2, ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"]],
  ["spec.containers.0.readinessProbe.terminationGracePeriodSeconds", 5, [
    "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"
  ]],
  ["spec.containers.0.lifecycle.preStop.sleep.seconds", 31, [
    "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"
  ]],
  ["spec.containers.0.securityContext.seccompProfile", { type: "RuntimeDefault", localhostProfile: "x" }, [
    'spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: {"type":"RuntimeDefault","localhostProfile":"x"}: can only be set when seccomp type is Localhost'
  ]],
  ["spec.containers.0.resources", { limits: { "hugepages-2Mi": "4Mi", "kubernetes.io/x": "1", "requests.example.com/a": "1" } }, [
    `spec.containers[0].resources.limits[requests.example.com/a]: Invalid value: "requests.example.com/a": doesn't follow extended resource name standard`,
    `spec.containers[0].resources.requests[requests.example.com/a]: Invalid value: "requests.example.com/a": doesn't follow extended resource name standard`,
    "spec.containers[0].resources: Forbidden: HugePages require cpu or memory"
  ]],
  ["spec.containers.0.resources.claims", [{ name: "rd" }, { name: "rd", request: "x" }, { name: "zz" }, { name: "" }], [
    'spec.containers[0].resources.claims[1]: Duplicate value: "rd/x"',
    'spec.containers[0].resources.claims[2]: Not found: "zz": must be one of the names in pod.spec.resourceClaims: rc, rd',
    "spec.containers[0].resources.claims[3]: Required value"
  ]],
  ["spec.volumes.0.hostPath", { path: "/a" }, [
    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
    'spec.containers[0].volumeMounts[0].name: Not found: "data"',
    'spec.containers[1].volumeMounts[0].name: Not found: "data"'
  ]],
  ["spec.volumes.2.projected.sources.1.secret", { name: "" }, [
    "spec.volumes[2].projected.sources[1].secret.name: Required value",
    "spec.volumes[2].projected.sources[1]: Forbidden: may not specify more than 1 volume type per source",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.4.persistentVolumeClaim.claimName", "p-eph", [
    'spec.volumes[4].persistentVolumeClaim.claimName: Invalid value: "p-eph": must not reference a PVC that gets created for an ephemeral volume'
  ]],
  ["spec.volumes.10.iscsi.lun", 256, ["spec.volumes[10].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive"]],
  ["spec.volumes.10.iscsi.chapAuthSession", true, ["spec.volumes[10].iscsi.secretRef: Required value"]],
  ["spec.containers.0.volumeMounts.2.subPath", "x", ['spec.containers[0].volumeMounts[2].subPath: Invalid value: "x": not allowed in image volume sources']],
  ["spec.containers.0.volumeMounts.0.name", "pvc", [
    'spec.containers[0].volumeMounts[0].name: Invalid value: "pvc": must not already exist in volumeDevices',
    'spec.containers[0].volumeDevices[0].name: Invalid value: "pvc": must not already exist in volumeMounts'
  ]],
  ["spec.containers.0.volumeMounts.1.subPathExpr", "/y", [
    'spec.containers[0].volumeMounts[1].subPathExpr: Invalid value: "/y": subPathExpr and subPath are mutually exclusive',
    'spec.containers[0].volumeMounts.subPathExpr: Invalid value: "/y": must be a relative path'
  ]],
  ["metadata.annotations", { "a b": "", "UPPER.com/x": "" }, [
    `metadata.annotations: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.finalizers", ["orphan", "foregroundDeletion", "x"], [
    'metadata.finalizers[2]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion","x"]: finalizer orphan and foregroundDeletion cannot be both set'
  ]],
  ["metadata.generateName", "A-", [
    `metadata.generateName: Invalid value: "A-": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata", undefined, ["metadata.name: Required value: name or generateName is required", "metadata.namespace: Required value"]],
  ["metadata.name", "a/../b", [
    `metadata.name: Invalid value: "a/../b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    `spec.volumes[3].name: Invalid value: "eph": PVC name "a/../b-eph": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    'spec.containers[0].volumeDevices[1].name: Not found: "eph"'
  ]],
  ["metadata.namespace", "Bad_Name", [
    `metadata.namespace: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["metadata.namespace", "spec.host", ['metadata.namespace: Invalid value: "spec.host": must not contain dots']],
  ["metadata.labels.app", "a/../b", [
    `metadata.labels: Invalid value: "a/../b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.ownerReferences.0", {}, [
    'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
    'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
    'metadata.ownerReferences.name: Invalid value: "": must not be empty',
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty'
  ]],
  ["metadata.finalizers.0", "", [
    'metadata.finalizers: Invalid value: "": name part must be non-empty',
    `metadata.finalizers: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.finalizers.0", "a/../b", [
    `metadata.finalizers: Invalid value: "a/../b": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.finalizers.0", "/a", ['metadata.finalizers: Invalid value: "/a": prefix part must be non-empty']],
  ["spec", undefined, ["spec.containers: Required value"]],
  ["spec.serviceAccountName", "Bad_Name", [
    `spec.serviceAccountName: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.hostname", "Bad_Name", [
    `spec.hostname: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["spec.subdomain", "Bad_Name", [
    `spec.subdomain: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["spec.priorityClassName", "Bad_Name", [
    `spec.priorityClassName: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.runtimeClassName", "", [
    `spec.runtimeClassName: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.volumes.0.emptyDir.sizeLimit", "-1", [
    "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
    'spec.containers[0].volumeMounts[0].name: Not found: "data"',
    'spec.containers[1].volumeMounts[0].name: Not found: "data"'
  ]],
  ["spec.volumes.1.configMap", {}, ["spec.volumes[1].configMap.name: Required value", 'spec.containers[0].volumeMounts[1].name: Not found: "conf"']],
  ["spec.volumes.1.configMap.defaultMode", -1, [
    "spec.volumes[1].configMap.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive",
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0", {}, [
    "spec.volumes[1].configMap.items[0].key: Required value",
    "spec.volumes[1].configMap.items[0].path: Required value",
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0.path", "a/../b", [
    `spec.volumes[1].configMap.items[0].path: Invalid value: "a/../b": must not contain '..'`,
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0.path", "..x", [
    `spec.volumes[1].configMap.items[0].path: Invalid value: "..x": must not start with '..'`,
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0.mode", -1, [
    "spec.volumes[1].configMap.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive",
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.2.projected.sources.0.serviceAccountToken", {}, [
    "spec.volumes[2].projected.path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.0.serviceAccountToken.expirationSeconds", 0, [
    "spec.volumes[2].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 0: may not specify a duration less than 10 minutes",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.1.configMap", {}, [
    "spec.volumes[2].projected.sources[1].configMap.name: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.1.configMap.items", [{ key: "ca.crt", path: "ca.crt" }, { key: "ca.crt", path: "ca.crt" }], [
    'spec.volumes[2].projected: Invalid value: "root": conflicting duplicate paths',
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.1.configMap.items.0", {}, [
    "spec.volumes[2].projected.sources[1].configMap.items[0].key: Required value",
    "spec.volumes[2].projected.sources[1].configMap.items[0].path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.2.secret.items.0", {}, [
    "spec.volumes[2].projected.sources[2].secret.items[0].key: Required value",
    "spec.volumes[2].projected.sources[2].secret.items[0].path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0", {}, [
    "spec.volumes[2].projected.sources[3].downwardAPI.path: Required value",
    "spec.volumes[2].projected.sources[3].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef", {}, [
    "spec.volumes[2].projected.sources[3].downwardAPI.fieldRef.fieldPath: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef.apiVersion", "Bad_Name", [
    'spec.volumes[2].projected.sources[3].downwardAPI.fieldRef.fieldPath: Invalid value: "metadata.namespace": error converting fieldPath: unsupported pod version: Bad_Name',
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef.fieldPath", "metadata.labels['-']", [
    `spec.volumes[2].projected.sources[3].downwardAPI.fieldRef: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef.fieldPath", "spec.host", [
    'spec.volumes[2].projected.sources[3].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.1.resourceFieldRef", {}, [
    "spec.volumes[2].projected.sources[3].downwardAPI.resourceFieldRef.containerName: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.1.resourceFieldRef.resource", undefined, [
    "spec.volumes[2].projected.sources[3].downwardAPI.resourceFieldRef.resource: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.1.resourceFieldRef.divisor", "10", [
    `spec.volumes[2].projected.sources[3].downwardAPI.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.4.clusterTrustBundle", {}, [
    "spec.volumes[2].projected.sources[4].clusterTrustBundle: Required value: either name or signerName must be specified",
    "spec.volumes[2].projected.sources[4].clusterTrustBundle.path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.4.clusterTrustBundle.name", "", [
    "spec.volumes[2].projected.sources[4].clusterTrustBundle.name: Required value: must be a valid object name",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.3.ephemeral", undefined, [
    'spec.containers[0].volumeDevices[1].name: Invalid value: "eph": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
  ]],
  ["spec.volumes.3.ephemeral", {}, ["spec.volumes[3].ephemeral.volumeClaimTemplate: Required value", 'spec.containers[0].volumeDevices[1].name: Not found: "eph"']],
  ["spec.volumes.3.ephemeral.volumeClaimTemplate", {}, [
    "spec.volumes[3].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
    "spec.volumes[3].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
    'spec.containers[0].volumeDevices[1].name: Not found: "eph"'
  ]],
  ["spec.volumes.5.hostPath", {}, ["spec.volumes[5].hostPath.path: Required value"]],
  ["spec.volumes.5.hostPath.type", "Bad_Name", [
    'spec.volumes[5].hostPath.type: Unsupported value: "Bad_Name": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
  ]],
  ["spec.volumes.6.secret", {}, ["spec.volumes[6].secret.secretName: Required value"]],
  ["spec.volumes.7.downwardAPI.items.0", {}, [
    "spec.volumes[7].downwardAPI.path: Required value",
    "spec.volumes[7].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"
  ]],
  ["spec.volumes.7.downwardAPI.items.0.fieldRef", {}, ["spec.volumes[7].downwardAPI.fieldRef.fieldPath: Required value"]],
  ["spec.volumes.7.downwardAPI.items.0.fieldRef.fieldPath", "metadata.labels['-']", [
    `spec.volumes[7].downwardAPI.fieldRef: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.volumes.8.image", {}, ["spec.volumes[8].image.reference: Required value", 'spec.containers[0].volumeMounts[2].name: Not found: "img"']],
  ["spec.volumes.8.image.pullPolicy", "Bad_Name", [
    'spec.volumes[8].image.pullPolicy: Unsupported value: "Bad_Name": supported values: "Always", "IfNotPresent", "Never"',
    'spec.containers[0].volumeMounts[2].name: Not found: "img"'
  ]],
  ["spec.volumes.9.nfs", {}, [
    "spec.volumes[9].nfs.server: Required value",
    "spec.volumes[9].nfs.path: Required value",
    'spec.volumes[9].nfs.path: Invalid value: "": must be an absolute path'
  ]],
  ["spec.volumes.10.iscsi", {}, ["spec.volumes[10].iscsi.targetPortal: Required value", "spec.volumes[10].iscsi.iqn: Required value"]],
  ["spec.volumes.10.iscsi.iqn", "Bad_Name", ['spec.volumes[10].iscsi.iqn: Invalid value: "Bad_Name": must be valid format starting with iqn, eui, or naa']],
  ["spec.resourceClaims", [{ name: "rc", resourceClaimName: "rcn" }, { name: "rd", resourceClaimTemplateName: "rcn" }, { name: "rc", resourceClaimName: "rcn" }], [
    'spec.resourceClaims[2].name: Duplicate value: "rc"'
  ]],
  ["spec.resourceClaims.0", {}, [
    "spec.resourceClaims[0].name: Required value",
    'spec.resourceClaims[0]: Invalid value: {"name":""}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
    'spec.containers[0].resources.claims[0]: Not found: "rc": must be one of the names in pod.spec.resourceClaims: rd'
  ]],
  ["spec.resourceClaims.0.resourceClaimName", "", [
    `spec.resourceClaims[0].resourceClaimName: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.resourceClaims.1.resourceClaimTemplateName", "", [
    `spec.resourceClaims[1].resourceClaimTemplateName: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.initContainers.0", {}, ["spec.initContainers[0].name: Required value", "spec.initContainers[0].image: Required value"]],
  ["spec.initContainers.0.image", " a", ['spec.initContainers[0].image: Invalid value: " a": must not have leading or trailing whitespace']],
  ["spec.initContainers.1.restartPolicy", undefined, ["spec.initContainers[1].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always"]],
  ["spec.initContainers.1.restartPolicy", "", [
    'spec.initContainers[1].restartPolicy: Unsupported value: "": supported values: "Always"',
    "spec.initContainers[1].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
  ]],
  ["spec.initContainers.1.startupProbe", {}, ["spec.initContainers[1].startupProbe: Required value: must specify a handler type"]],
  ["spec.initContainers.1.startupProbe.tcpSocket", {}, ["spec.initContainers[1].startupProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"]],
  ["spec.initContainers.1.ports.0", {}, ["spec.initContainers[1].ports[0].containerPort: Required value"]],
  ["spec.tolerations.0", {}, [
    'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"'
  ]],
  ["spec.tolerations.0.operator", "Bad_Name", [
    'spec.tolerations[0].operator: Invalid value: "Bad_Name": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    'spec.tolerations[0].operator: Unsupported value: "Bad_Name": supported values: "Equal", "Exists"'
  ]],
  ["spec.tolerations.1.key", "a/../b", [
    `spec.tolerations[1].key: Invalid value: "a/../b": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.tolerations.1.effect", undefined, ["spec.tolerations[1].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"]],
  ["spec.schedulingGates", [{ name: "example.com/g" }, { name: "g2" }, { name: "example.com/g" }], ['spec.schedulingGates[2]: Duplicate value: "example.com/g"']],
  ["spec.readinessGates.0", {}, [
    'spec.readinessGates[0].conditionType: Invalid value: "": name part must be non-empty',
    `spec.readinessGates[0].conditionType: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", {}, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.key", "/a", [
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.operator", undefined, [
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "": not a valid selector operator'
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.values", undefined, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.1.values", undefined, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchFields.0", {}, [
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].operator: Invalid value: "": not a valid selector operator',
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "": not a valid field selector key'
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchFields.0.values", undefined, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
  ]],
  ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0", {}, [
    "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100"
  ]],
  ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.preference.matchExpressions.0.key", "/a", [
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.preference.matchExpressions.0.operator", undefined, [
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator: Invalid value: "": not a valid selector operator'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0", {}, [
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty",
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
    `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector", undefined, [
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys: Forbidden: must not be specified when labelSelector is not set"
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector.matchExpressions.0.key", "/a", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].key: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector.matchExpressions.0.operator", undefined, [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: Invalid value: "": not a valid selector operator'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector.matchExpressions.0.values", undefined, [
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.namespaces.0", "spec.host", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: Invalid value: "spec.host": must not contain dots'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.matchLabelKeys.0", "/a", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.mismatchLabelKeys.0", "/a", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys[0]: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight", undefined, [
    "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100"
  ]],
  ["spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.podAffinityTerm.topologyKey", "/a", [
    'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.topologySpreadConstraints", [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", minDomains: 2, labelSelector: { matchLabels: { app: "x" } }, matchLabelKeys: ["v"], nodeAffinityPolicy: "Honor" }, { maxSkew: 1, topologyKey: "zone2", whenUnsatisfiable: "DoNotSchedule" }, { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", minDomains: 2, labelSelector: { matchLabels: { app: "x" } }, matchLabelKeys: ["v"], nodeAffinityPolicy: "Honor" }], [
    'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"'
  ]],
  ["spec.topologySpreadConstraints.0", {}, [
    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than 0",
    "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
    'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"'
  ]],
  ["spec.topologySpreadConstraints.0.whenUnsatisfiable", undefined, [
    'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"',
    "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
  ]],
  ["spec.topologySpreadConstraints.0.labelSelector", undefined, [
    "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"
  ]],
  ["spec.topologySpreadConstraints.0.labelSelector.matchLabels.app", "..x", [
    `spec.topologySpreadConstraints[0].labelSelector.matchLabels: Invalid value: "..x": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.topologySpreadConstraints.0.matchLabelKeys.0", "", [
    'spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: "": name part must be non-empty',
    `spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.topologySpreadConstraints.0.nodeAffinityPolicy", "", [
    'spec.topologySpreadConstraints[0].nodeAffinityPolicy: Unsupported value: "": supported values: "Honor", "Ignore"'
  ]],
  ["spec.securityContext.runAsUser", -1, ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.securityContext.fsGroup", -1, ["spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.securityContext.supplementalGroups.0", -1, ["spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.securityContext.sysctls", [{ name: "net.a", value: "1" }, { name: "net.b", value: "1" }, { name: "net.a", value: "1" }], [
    'spec.securityContext.sysctls[2].name: Duplicate value: "net.a"'
  ]],
  ["spec.securityContext.sysctls.0.name", "Bad_Name", [
    "spec.securityContext.sysctls[0].name: Invalid value: \"Bad_Name\": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
  ]],
  ["spec.securityContext.seccompProfile", {}, ["spec.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set"]],
  ["spec.securityContext.seccompProfile.type", undefined, [
    "spec.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set",
    'spec.securityContext.seccompProfile.localhostProfile: Invalid value: {"type":"","localhostProfile":"a"}: can only be set when seccomp type is Localhost'
  ]],
  ["spec.securityContext.seccompProfile.localhostProfile", undefined, [
    "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"
  ]],
  ["spec.securityContext.appArmorProfile", {}, ["spec.securityContext.appArmorProfile.type: Required value: type is required when appArmorProfile is set"]],
  ["spec.securityContext.appArmorProfile.localhostProfile", undefined, [
    "spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"
  ]],
  ["spec.securityContext.appArmorProfile.localhostProfile", " a", [
    'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with whitespace'
  ]],
  ["spec.securityContext.fsGroupChangePolicy", "", ['spec.securityContext.fsGroupChangePolicy: Unsupported value: "": supported values: "Always", "OnRootMismatch"']],
  ["spec.dnsPolicy", "Bad_Name", ['spec.dnsPolicy: Unsupported value: "Bad_Name": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"']],
  ["spec.dnsConfig", undefined, ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]],
  ["spec.dnsConfig", {}, ["spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"]],
  ["spec.dnsConfig.nameservers.0", "", ['spec.dnsConfig.nameservers[0]: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ["spec.dnsConfig.searches.0", "", [
    `spec.dnsConfig.searches[0]: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.dnsConfig.options.0", {}, ["spec.dnsConfig.options[0]: Required value: must not be empty"]],
  ["spec.hostAliases.0", {}, ['spec.hostAliases[0].ip: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ["spec.hostAliases.0.hostnames.0", "", [
    `spec.hostAliases[0].hostnames[0]: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.os", {}, ["spec.os.name: Required value: cannot be empty"]],
  ["spec.os.name", "Bad_Name", ['spec.os: Unsupported value: "Bad_Name": supported values: "linux", "windows"']],
  ["spec.overhead.cpu", "-1", ['spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']],
  ["spec.activeDeadlineSeconds", 0, ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]],
  ["spec.preemptionPolicy", "Bad_Name", ['spec.preemptionPolicy: Unsupported value: "Bad_Name": supported values: "PreemptLowerPriority", "Never"']],
  ["spec.containers", [{ name: "c", image: "nginx", volumeMounts: [{ name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }, { name: "conf", mountPath: "/conf", subPath: "x" }, { name: "img", mountPath: "/img", mountPropagation: "None" }, { name: "tok", mountPath: "/tok", subPathExpr: "$(X)" }], volumeDevices: [{ name: "pvc", devicePath: "/dev/a" }, { name: "eph", devicePath: "/dev/b" }], env: [{ name: "A", value: "1" }, { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }, { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }, { name: "D", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }, { name: "E", valueFrom: { configMapKeyRef: { name: "s", key: "k" } } }], envFrom: [{ prefix: "P_", configMapRef: { name: "m" } }, { secretRef: { name: "m" } }], ports: [{ name: "http", containerPort: 80 }, { name: "https", containerPort: 443, hostPort: 443 }], resources: { requests: { cpu: "100m", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, limits: { cpu: "1", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, claims: [{ name: "rc" }, { name: "rd", request: "x" }] }, resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }, { resourceName: "memory", restartPolicy: "RestartContainer" }], readinessProbe: { httpGet: { port: "http", httpHeaders: [{ name: "X", value: "1" }] }, successThreshold: 2 }, livenessProbe: { exec: { command: ["a"] } }, startupProbe: { grpc: { port: 5 } }, lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { httpGet: { port: 8 } } }, securityContext: { runAsUser: 0, allowPrivilegeEscalation: false, procMount: "Default", capabilities: { add: ["X"] }, seccompProfile: { type: "RuntimeDefault" } } }, { name: "d", image: "x", ports: [{ name: "http", containerPort: 80 }], volumeMounts: [{ name: "data", mountPath: "/data" }] }, { name: "c", image: "nginx", volumeMounts: [{ name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }, { name: "conf", mountPath: "/conf", subPath: "x" }, { name: "img", mountPath: "/img", mountPropagation: "None" }, { name: "tok", mountPath: "/tok", subPathExpr: "$(X)" }], volumeDevices: [{ name: "pvc", devicePath: "/dev/a" }, { name: "eph", devicePath: "/dev/b" }], env: [{ name: "A", value: "1" }, { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }, { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }, { name: "D", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }, { name: "E", valueFrom: { configMapKeyRef: { name: "s", key: "k" } } }], envFrom: [{ prefix: "P_", configMapRef: { name: "m" } }, { secretRef: { name: "m" } }], ports: [{ name: "http", containerPort: 80 }, { name: "https", containerPort: 443, hostPort: 443 }], resources: { requests: { cpu: "100m", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, limits: { cpu: "1", "example.com/gpu": "1", "hugepages-2Mi": "4Mi" }, claims: [{ name: "rc" }, { name: "rd", request: "x" }] }, resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }, { resourceName: "memory", restartPolicy: "RestartContainer" }], readinessProbe: { httpGet: { port: "http", httpHeaders: [{ name: "X", value: "1" }] }, successThreshold: 2 }, livenessProbe: { exec: { command: ["a"] } }, startupProbe: { grpc: { port: 5 } }, lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { httpGet: { port: 8 } } }, securityContext: { runAsUser: 0, allowPrivilegeEscalation: false, procMount: "Default", capabilities: { add: ["X"] }, seccompProfile: { type: "RuntimeDefault" } } }], [
    'spec.containers[2].name: Duplicate value: "c"',
    'spec.containers[2].ports[1].hostPort: Duplicate value: "TCP//443"'
  ]],
  ["spec.containers.0", {}, ["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"]],
  ["spec.containers.0.volumeMounts", [{ name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }, { name: "conf", mountPath: "/conf", subPath: "x" }, { name: "img", mountPath: "/img", mountPropagation: "None" }, { name: "tok", mountPath: "/tok", subPathExpr: "$(X)" }, { name: "data", mountPath: "/data", recursiveReadOnly: "Enabled", readOnly: true }], [
    'spec.containers[0].volumeMounts[4].mountPath: Invalid value: "/data": must be unique'
  ]],
  ["spec.containers.0.volumeMounts.0.recursiveReadOnly", "", [
    'spec.containers[0].volumeMounts.recursiveReadOnly: Unsupported value: "": supported values: "Disabled", "Enabled", "IfPossible"'
  ]],
  ["spec.containers.0.volumeMounts.0.readOnly", undefined, ["spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"]],
  ["spec.containers.0.volumeMounts.1.subPath", "a/../b", [`spec.containers[0].volumeMounts.subPath: Invalid value: "a/../b": must not contain '..'`]],
  ["spec.containers.0.volumeMounts.2.mountPropagation", "", [
    'spec.containers[0].volumeMounts.mountPropagation: Unsupported value: "": supported values: "Bidirectional", "HostToContainer", "None"'
  ]],
  ["spec.containers.0.volumeMounts.2.mountPropagation", "Bidirectional", [
    "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"
  ]],
  ["spec.containers.0.volumeDevices", [{ name: "pvc", devicePath: "/dev/a" }, { name: "eph", devicePath: "/dev/b" }, { name: "pvc", devicePath: "/dev/a" }], [
    'spec.containers[0].volumeDevices[2].name: Invalid value: "pvc": must be unique',
    'spec.containers[0].volumeDevices[2].devicePath: Invalid value: "/dev/a": must be unique'
  ]],
  ["spec.containers.0.volumeDevices.0.devicePath", "a/../b", [
    `spec.containers[0].volumeDevices[0].devicePath: Invalid value: "a/../b": can not contain backsteps ('..')`
  ]],
  ["spec.containers.0.env.0", {}, ["spec.containers[0].env[0].name: Required value"]],
  ["spec.containers.0.env.1.valueFrom", {}, [
    'spec.containers[0].env[1].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
  ]],
  ["spec.containers.0.env.1.valueFrom.secretKeyRef", {}, [
    `spec.containers[0].env[1].valueFrom.secretKeyRef.name: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    "spec.containers[0].env[1].valueFrom.secretKeyRef.key: Required value"
  ]],
  ["spec.containers.0.env.1.valueFrom.secretKeyRef.key", "a/../b", [
    `spec.containers[0].env[1].valueFrom.secretKeyRef.key: Invalid value: "a/../b": a valid config key must consist of alphanumeric characters, '-', '_' or '.'`
  ]],
  ["spec.containers.0.env.2.valueFrom.resourceFieldRef", {}, ["spec.containers[0].env[2].valueFrom.resourceFieldRef.resource: Required value"]],
  ["spec.containers.0.env.3.valueFrom.fieldRef", {}, ["spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: Required value"]],
  ["spec.containers.0.env.3.valueFrom.fieldRef.fieldPath", "metadata.labels['-']", [
    `spec.containers[0].env[3].valueFrom.fieldRef: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.containers.0.env.4.valueFrom.configMapKeyRef", {}, [
    `spec.containers[0].env[4].valueFrom.configMapKeyRef.name: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    "spec.containers[0].env[4].valueFrom.configMapKeyRef.key: Required value"
  ]],
  ["spec.containers.0.envFrom.0", {}, ['spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']],
  ["spec.containers.0.envFrom.0.configMapRef", {}, ["spec.containers[0].envFrom[0].configMapRef.name: Required value"]],
  ["spec.containers.0.envFrom.1.secretRef", {}, ["spec.containers[0].envFrom[1].secretRef.name: Required value"]],
  ["spec.containers.0.ports", [{ name: "http", containerPort: 80 }, { name: "https", containerPort: 443, hostPort: 443 }, { name: "http", containerPort: 80 }], [
    'spec.containers[0].ports[2].name: Duplicate value: "http"'
  ]],
  ["spec.containers.0.ports.0", {}, ["spec.containers[0].ports[0].containerPort: Required value"]],
  ["spec.containers.0.ports.0.name", "Bad_Name", [
    'spec.containers[0].ports[0].name: Invalid value: "Bad_Name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'
  ]],
  ["spec.containers.0.ports.0.name", "-", [
    'spec.containers[0].ports[0].name: Invalid value: "-": must contain at least one letter (a-z)',
    'spec.containers[0].ports[0].name: Invalid value: "-": must not begin or end with a hyphen'
  ]],
  ["spec.containers.0.ports.0.name", "metadata.labels['-']", [
    `spec.containers[0].ports[0].name: Invalid value: "metadata.labels['-']": must be no more than 15 characters`,
    `spec.containers[0].ports[0].name: Invalid value: "metadata.labels['-']": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`
  ]],
  ["spec.containers.0.resources.requests.cpu", "10", ['spec.containers[0].resources.requests: Invalid value: "10": must be less than or equal to cpu limit of 1']],
  ["spec.containers.0.resources.requests.hugepages-2Mi", "10", [
    'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "10": 10 is not positive integer multiple of hugepages-2Mi',
    'spec.containers[0].resources.requests: Invalid value: "10": must be equal to hugepages-2Mi limit of 4Mi'
  ]],
  ["spec.containers.0.resources.requests.hugepages-2Mi", "-1", [
    'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "-1": must be greater than or equal to 0',
    'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "-1": -1 is not positive integer multiple of hugepages-2Mi',
    'spec.containers[0].resources.requests: Invalid value: "-1": must be equal to hugepages-2Mi limit of 4Mi'
  ]],
  ["spec.containers.0.resources.limits", undefined, [
    "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
    "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"
  ]],
  ["spec.containers.0.resources.claims.1.request", "Bad_Name", [
    `spec.containers[0].resources.claims[1].request: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["spec.containers.0.resizePolicy", [{ resourceName: "cpu", restartPolicy: "NotRequired" }, { resourceName: "memory", restartPolicy: "RestartContainer" }, { resourceName: "cpu", restartPolicy: "NotRequired" }], [
    'spec.containers[0].resizePolicy[2]: Duplicate value: "cpu"'
  ]],
  ["spec.containers.0.resizePolicy.0", {}, ["spec.containers[0].resizePolicy: Required value", "spec.containers[0].resizePolicy: Required value"]],
  ["spec.containers.0.readinessProbe", {}, ["spec.containers[0].readinessProbe: Required value: must specify a handler type"]],
  ["spec.containers.0.readinessProbe.httpGet", {}, ["spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"]],
  ["spec.containers.0.readinessProbe.httpGet.httpHeaders.0", {}, [
    `spec.containers[0].readinessProbe.httpGet.httpHeaders: Invalid value: "": a valid HTTP header must consist of alphanumeric characters or '-'`
  ]],
  ["spec.containers.0.readinessProbe.successThreshold", -1, [
    "spec.containers[0].readinessProbe.successThreshold: Invalid value: -1: must be greater than or equal to 0"
  ]],
  ["spec.containers.0.livenessProbe", {}, ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]],
  ["spec.containers.0.livenessProbe.exec", {}, ["spec.containers[0].livenessProbe.exec.command: Required value"]],
  ["spec.containers.0.startupProbe", {}, ["spec.containers[0].startupProbe: Required value: must specify a handler type"]],
  ["spec.containers.0.startupProbe.grpc", {}, ["spec.containers[0].startupProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"]],
  ["spec.containers.0.lifecycle.preStop", {}, ["spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"]],
  ["spec.containers.0.lifecycle.postStart", {}, ["spec.containers[0].lifecycle.postStart: Required value: must specify a handler type"]],
  ["spec.containers.0.lifecycle.postStart.httpGet", {}, [
    "spec.containers[0].lifecycle.postStart.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"
  ]],
  ["spec.containers.0.securityContext.runAsUser", -1, ["spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.containers.0.securityContext.procMount", "", ['spec.containers[0].securityContext.procMount: Unsupported value: "": supported values: "Default", "Unmasked"']],
  ["spec.containers.0.securityContext.procMount", "Unmasked", [
    'spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`'
  ]],
  ["spec.containers.0.securityContext.seccompProfile", {}, [
    "spec.containers[0].securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set"
  ]]
]
