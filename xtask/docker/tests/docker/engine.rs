//! An engine for one test, which may restart and starve it. It has namespaces of its own, so its network, mounts and
//! processes are separate from the machine's, and end with it. It needs root, like every engine.

use std::{fs, io, net::TcpListener, os::fd::AsFd as _, thread};

use duct::{Handle, cmd};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

use crate::docker::wait_until;

pub(crate) struct Engine {
    folder: TempDir,
    /// The program `unshare`, with the engine below it.
    process: Handle,
    ports: &'static str,
}

impl Engine {
    /// Starts an engine without an image.
    pub(crate) fn start() -> Engine {
        Engine::with_ports("32768 60999")
    }

    /// Starts an engine with this range of free ports, the first and the last.
    pub(crate) fn with_ports(ports: &'static str) -> Engine {
        let folder = tempfile::Builder::new().prefix("xtask-engine-").tempdir().unwrap();
        let process = run(&folder, ports);
        let engine = Engine { folder, process, ports };
        engine.wait();
        engine
    }

    pub(crate) fn load_image(&self) {
        let saved = cmd!("docker", "save", "postgres:15-alpine");
        saved.pipe(cmd!("docker", "load").env("DOCKER_HOST", self.host())).stdout_null().run().unwrap();
    }

    pub(crate) fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }

    /// The words before a command that has to reach the ports of this engine.
    pub(crate) fn entrance(&self) -> Vec<String> {
        ["nsenter", "--net", "--target"]
            .map(str::to_owned)
            .into_iter()
            .chain([self.pid().to_string()])
            .collect()
    }

    /// A listener within this engine's network.
    pub(crate) fn listener(&self, port: u16) -> TcpListener {
        let network = fs::File::open(format!("/proc/{}/ns/net", self.pid())).unwrap();
        // Each thread can have its own network.
        let listen = move || {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            TcpListener::bind(("127.0.0.1", port))
        };
        thread::spawn(listen).join().unwrap().unwrap()
    }

    /// Restarts it as a service manager does.
    pub(crate) fn restart(&mut self) {
        self.end("-TERM");
        self.start_again();
    }

    /// Kills it with everything that runs in it, as in a power cut, and starts it again.
    pub(crate) fn cut_power(&mut self) {
        self.end("-KILL");
        // A machine keeps this in memory.
        fs::remove_dir_all(self.folder.path().join("run")).unwrap();
        self.start_again();
    }

    fn start_again(&mut self) {
        let _ = fs::remove_file(self.folder.path().join("pid"));
        self.process = run(&self.folder, self.ports);
        self.wait();
    }

    fn wait(&self) {
        let docker = cmd!("docker", "version").env("DOCKER_HOST", self.host()).stdout_null().stderr_null();
        wait_until("no second engine came up: these tests start one, as root", || {
            assert!(self.process.try_wait().unwrap().is_none(), "the second engine ended:\n{}", self.log());
            docker.unchecked().run().unwrap().status.success()
        });
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn pid(&self) -> u32 {
        self.process.pids()[0]
    }

    fn end(&self, signal: &str) {
        let pid = self.pid();
        let engine = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let _ = cmd!("kill", signal, engine.trim()).stderr_null().unchecked().run();
        wait_until("the second engine does not end", || self.process.try_wait().unwrap().is_some());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Its namespaces end with it, and so does everything in them.
        self.end("-TERM");
    }
}

fn run(folder: &TempDir, ports: &str) -> Handle {
    let script = "ip link set lo up && echo \"$2\" >/proc/sys/net/ipv4/ip_local_port_range && exec dockerd \
                  --host \"unix://$1/docker.sock\" --data-root \"$1/data\" --exec-root \"$1/run\" --pidfile \"$1/pid\"";
    let namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let folder = folder.path().to_str().unwrap();
    let words = namespaces.into_iter().chain(["sh", "-c", script, "sh", folder, ports]);
    let started: io::Result<Handle> = cmd("unshare", words)
        .stdin_null()
        .stderr_to_stdout()
        .stdout_path(format!("{folder}/log"))
        .unchecked()
        .start();
    started.unwrap()
}
