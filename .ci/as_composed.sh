# Sourced by what runs in namespaces of its own (unshare --net --mount): names and secrets are where
# docker-compose.yml puts them, so that a configuration is tried as it stands. $1: folder of secrets.
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir /run/secrets /run/lock
mount --bind "$1" /run/secrets
# Loopback has many addresses, so each instance has one, and the ports of docker-compose.yml.
printf '127.0.0.1 localhost nginx postgres redis\n127.0.0.2 app1\n127.0.0.3 app2\n' >/run/hosts
mount --bind /run/hosts /etc/hosts
# Where nginx puts bodies that are too long for memory.
mount -t tmpfs tmpfs /var/lib/nginx
