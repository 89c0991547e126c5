# In namespaces of their own: a root folder whose changes are in memory, and systemd as its first process.
# $1 the sources, $2 the daemon, $3 where the outcome goes
set -e
mount --make-rprivate /
mount -t tmpfs -o size=2g tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
cd /mnt/root
mount -t proc proc proc
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
mount --rbind /sys sys
mount --rbind /dev dev
mkdir run/trial tmp/old
mount --bind "$3" run/trial
install -m 755 "$2" usr/bin/offdesk
mkdir -p srv/trial
cp -r "$1/systemd" srv/trial/
install -m 644 "$1/README.md" srv/trial/README.md
rm -rf var/lib/offdesk etc/offdesk
cat > etc/systemd/system/trial.service <<END
[Unit]
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/bash /run/trial/trial.sh
ExecStopPost=/bin/systemctl --force --force poweroff
StandardOutput=append:/run/trial/told
StandardError=append:/run/trial/told
END
pivot_root . tmp/old
umount -l /tmp/old
# As on a machine of its own: what is mounted for a service, such as its credentials, comes to be seen by it.
mount --make-rshared /
export container=offdesk-unit
exec /lib/systemd/systemd --system --unit=trial.service --show-status=no < /dev/null
