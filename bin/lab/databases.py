"""A private MariaDB or PostgreSQL, each with a data directory, a socket and a loopback port of its own."""

from __future__ import annotations

import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from lab import process
from lab.layout import Layout

NAME = USER = "nova_lite"
ENGINES = ("mariadb", "postgresql")


def _me() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _run(argv: list[str], user: str | None = None, text: str | None = None) -> str:
    done = subprocess.run(
        argv, input=text, capture_output=True, text=True, timeout=180, cwd="/", user=user,
        extra_groups=[] if user else None,
    )  # fmt: skip
    if done.returncode:
        raise process.LabError(f"{' '.join(argv)}: {done.stderr or done.stdout}")
    return done.stdout


@dataclass(frozen=True)
class Mariadb:
    """MariaDB as the user who runs the lab."""

    lab: Layout

    @property
    def socket(self) -> pathlib.Path:
        """Unix sockets have short names: not under a deep checkout."""
        return pathlib.Path(f"/tmp/nova-lite-lab-{os.getuid()}-{self.lab.ports['mariadb']}.sock")

    def server(self) -> process.Process:
        base = self.lab.directory("mariadb")
        argv = [
            shutil.which("mariadbd", path="/usr/sbin:/usr/bin") or "mariadbd", "--no-defaults",
            f"--datadir={base}/data", f"--user={_me()}", f"--socket={self.socket}", "--bind-address=127.0.0.1",
            f"--port={self.lab.ports['mariadb']}", f"--pid-file={base}/mariadbd.own.pid", "--skip-log-bin",
            "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2", "--max-connections=400",
            "--character-set-server=utf8mb4", "--skip-name-resolve",
        ]  # fmt: skip
        return process.Process("mariadb", base, argv, port=self.lab.ports["mariadb"])

    def start(self) -> None:
        base = self.lab.directory("mariadb")
        if not (base / "data" / "mysql").exists():
            _run(["mariadb-install-db", "--no-defaults", f"--datadir={base}/data", f"--user={_me()}", "--skip-test-db",
                  "--auth-root-authentication-method=socket"])  # fmt: skip
        server = self.server()
        server.start()
        server.wait(self._accepts, 60)
        self.sql(
            f"CREATE DATABASE IF NOT EXISTS {NAME};"
            f"CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY '{self.lab.secrets['database']}';"
            f"GRANT ALL ON {NAME}.* TO '{USER}'@'127.0.0.1';"
        )

    def _accepts(self) -> bool:
        """Its port is open some time before its socket."""
        try:
            return bool(self.sql("SELECT 1"))
        except process.LabError:
            return False

    def sql(self, text: str) -> str:
        """Run statements as the administrator; rows separated by newlines, columns by tabs."""
        argv = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--batch", "--skip-column-names"]
        return _run(argv, text=text)

    def rows(self, text: str) -> str:
        return self.sql(f"USE {NAME}; {text}")

    def stop(self) -> list[str]:
        return ["mariadb"] if self.server().stop(30) else []

    def url(self) -> str:
        return f"mysql+pymysql://{USER}:{self.lab.secrets['database']}@127.0.0.1:{self.lab.ports['mariadb']}/{NAME}"


@dataclass(frozen=True)
class Postgresql:
    """PostgreSQL refuses to run as root: root's lab runs it as `nobody`, its data where that user can go."""

    lab: Layout

    @property
    def user(self) -> str | None:
        return "nobody" if os.getuid() == 0 else None

    @property
    def data(self) -> pathlib.Path:
        if self.user is None:
            return self.lab.directory("postgresql") / "data"
        mark = hashlib.sha256(str(self.lab.root).encode()).hexdigest()[:10]
        return pathlib.Path(f"/var/tmp/nova-lite-lab-{mark}/postgresql")

    def program(self, name: str) -> str:
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        if not found:
            raise process.LabError(f"{name}: PostgreSQL is not installed")
        return str(found[-1])

    def server(self) -> process.Process:
        argv = [
            self.program("postgres"), "-D", str(self.data), "-c", "listen_addresses=127.0.0.1",
            "-c", f"port={self.lab.ports['postgresql']}", "-c", f"unix_socket_directories={self.data}",
            "-c", "max_connections=400", "-c", "synchronous_commit=off", "-c", "shared_buffers=64MB",
        ]  # fmt: skip
        return process.Process(
            "postgresql", self.lab.directory("postgresql"), argv, {}, signal.SIGINT, self.user,
            self.lab.ports["postgresql"],
        )  # fmt: skip

    @property
    def belongs(self) -> pathlib.Path:
        """Says which lab the data are of: they may lie outside .lab, and outlive it."""
        return self.data.parent / "belongs_to"

    def _forget_another_labs(self) -> None:
        """A checkout made anew at the same place begins anew: with data of another schema it would not even start."""
        mine = hashlib.sha256(self.lab.secrets["database"].encode()).hexdigest()
        if self.belongs.exists() and self.belongs.read_text() == mine:
            return
        if self.data.exists():
            argv = [self.program("pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop"]
            subprocess.run(argv, user=self.user, extra_groups=[] if self.user else None, cwd="/", capture_output=True)
            shutil.rmtree(self.data)
        self.belongs.parent.mkdir(parents=True, exist_ok=True)
        self.belongs.write_text(mine)

    def start(self) -> None:
        self._forget_another_labs()
        if not (self.data / "PG_VERSION").exists():
            self.data.mkdir(parents=True, exist_ok=True)
            if self.user:
                shutil.chown(self.data, self.user)
            self.data.chmod(0o700)
            _run([self.program("initdb"), "-D", str(self.data), "-A", "scram-sha-256", "--auth-local=trust",
                  "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], self.user)  # fmt: skip
        server = self.server()
        server.start()
        server.wait(lambda: process.answers(self.lab.ports["postgresql"]) and self._accepts(), 60)
        if not self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{USER}'", "postgres").strip():
            self.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{self.lab.secrets['database']}'", "postgres")
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{NAME}'", "postgres").strip():
            self.sql(f"CREATE DATABASE {NAME} OWNER {USER}", "postgres")

    def _accepts(self) -> bool:
        try:
            return bool(self.sql("SELECT 1", "postgres"))
        except process.LabError:
            return False

    def sql(self, text: str, database: str = NAME) -> str:
        """Run statements as the administrator; rows separated by newlines, columns by tabs."""
        argv = [
            self.program("psql"), "-h", str(self.data), "-p", str(self.lab.ports["postgresql"]), "-U", "postgres",
            "-d", database, "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", text,
        ]  # fmt: skip
        return _run(argv, self.user)

    def rows(self, text: str) -> str:
        return self.sql(text)

    def stop(self) -> list[str]:
        try:
            return ["postgresql"] if self.server().stop(30) else []
        except process.LabError:  # never installed
            return []

    def url(self) -> str:
        return f"postgresql+psycopg2://{USER}:{self.lab.secrets['database']}@127.0.0.1:{self.lab.ports['postgresql']}/{NAME}"


MAKERS: dict[str, Callable[[Layout], Mariadb | Postgresql]] = {"mariadb": Mariadb, "postgresql": Postgresql}
