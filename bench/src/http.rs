//! Processor time of a serving process a request, beside a stub's. The server has one core, the load another.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::measure::{Pairs, micros};
use crate::program::Program;
use crate::report::{Report, Row, Target};
use crate::served::Served;
use crate::world::{self, CLIENT};

const SECTION: &str = "HTTP on memory";
/// Connections that are kept open; each has one request under way.
const CONNECTIONS: usize = 8;

pub(crate) fn http(report: &mut Report, quick: bool) -> io::Result<()> {
    if !report.wants(SECTION, "") {
        return Ok(());
    }
    let (rounds, requests) = if quick { (1, 16) } else { (20, 2_000) };
    let mut ours = Process::start(Served::Proofkey)?;
    let mut stub = Process::start(Served::Stub)?;
    let mut pairs = [Pairs::default(), Pairs::default()];
    for round in 0..=rounds {
        let (codes, token) = ours.codes(requests)?;
        let redeem: Vec<String> =
            codes.iter().map(|code| request("/auth/token", None, &world::redeem_form(CLIENT, code))).collect();
        let introspect = request("/auth/introspect", Some(&world::basic()), &world::introspect_form(&token));
        let introspect = vec![introspect; requests];
        for (pairs, requests) in pairs.iter_mut().zip([redeem, introspect]) {
            let (of_ours, of_stub) = (ours.time(&requests)?, stub.time(&requests)?);
            if round > 0 {
                pairs.push(of_ours, of_stub);
            }
        }
    }
    for (name, pairs) in ["token", "introspect"].into_iter().zip(&pairs) {
        report.add(Row::times(SECTION, name, pairs).with_target(Target::AtMost(1.4)))?;
    }
    match Program::find()? {
        Some(program) => serve(report, &program, &mut stub, rounds, requests),
        None => Ok(()),
    }
}

/// The program itself: tokens of a client for itself, and their introspection.
fn serve(report: &mut Report, program: &Program, stub: &mut Process, rounds: usize, requests: usize) -> io::Result<()> {
    let mut ours = Process::of_program(program)?;
    let token = request("/auth/token", Some(&world::basic()), "grant_type=client_credentials&scope=read");
    let access = world::text(ours.answer(&token)?.as_bytes(), "access_token");
    let introspect = request("/auth/introspect", Some(&world::basic()), &world::introspect_form(&access));
    for (name, one) in [("token", token), ("introspect", introspect)] {
        let (mut pairs, requests) = (Pairs::default(), vec![one; requests]);
        for round in 0..=rounds {
            let (of_ours, of_stub) = (ours.time(&requests)?, stub.time(&requests)?);
            if round > 0 {
                pairs.push(of_ours, of_stub);
            }
        }
        let name = format!("{name}, by `proofkey serve`");
        report.add(Row::times(SECTION, name, &pairs).with_target(Target::AtMost(1.4)))?;
    }
    Ok(())
}

fn request(path: &str, authorization: Option<&str>, body: &str) -> String {
    let authorization = authorization.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default();
    format!(
        "POST {path} HTTP/1.1\r\nhost: as.example\r\n{authorization}content-type: application/x-www-form-urlencoded\r\n\
         accept: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A serving process, and connections to it.
struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
    connections: Vec<TcpStream>,
}

impl Process {
    fn start(what: Served) -> io::Result<Self> {
        let word = match what {
            Served::Proofkey => "proofkey",
            Served::Stub => "stub",
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--serve", word]).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self::connected(command, |line| line.parse().map_err(io::Error::other))
    }

    fn of_program(program: &Program) -> io::Result<Self> {
        Self::connected(program.command(), |line| {
            let address: SocketAddr = world::text(line.as_bytes(), "listen").parse().map_err(io::Error::other)?;
            Ok(address.port())
        })
    }

    /// A process whose first line tells the port, with connections to it.
    fn connected(mut command: Command, port: impl FnOnce(&str) -> io::Result<u16>) -> io::Result<Self> {
        let mut child = on_core(0, || command.spawn())??;
        let orders = child.stdin.take();
        let lines = child.stdout.take().ok_or_else(|| io::Error::other("the child has no output"))?;
        let mut process = Self { child, orders, lines: BufReader::new(lines), connections: Vec::new() };
        let port = port(&process.line()?)?;
        for _ in 0..CONNECTIONS {
            let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            connection.set_nodelay(true)?;
            connection.set_read_timeout(Some(Duration::from_secs(10)))?;
            process.connections.push(connection);
        }
        Ok(process)
    }

    /// The body of the answer to one request.
    fn answer(&mut self, request: &str) -> io::Result<String> {
        let connection = self.connections.first_mut().ok_or_else(|| io::Error::other("there is no connection"))?;
        connection.write_all(request.as_bytes())?;
        read_answer(connection)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Fresh codes, and an access token of the client that introspects.
    fn codes(&mut self, number: usize) -> io::Result<(Vec<String>, String)> {
        let orders = self.orders.as_mut().ok_or_else(|| io::Error::other("the child takes no orders"))?;
        writeln!(orders, "{number}")?;
        let codes = (0..number).map(|_| self.line()).collect::<io::Result<_>>()?;
        Ok((codes, self.line()?))
    }

    /// Processor time of the process for each of these requests, in µs.
    fn time(&mut self, requests: &[String]) -> io::Result<f64> {
        let before = self.processor()?;
        let connections = &mut self.connections;
        on_core(1, || {
            for together in requests.chunks(connections.len()) {
                for (connection, request) in connections.iter_mut().zip(together) {
                    connection.write_all(request.as_bytes())?;
                }
                for (connection, _) in connections.iter_mut().zip(together) {
                    read_answer(connection)?;
                }
            }
            Ok::<_, io::Error>(())
        })??;
        let spent = self.processor()?.saturating_sub(before);
        Ok(micros(spent) / requests.len() as f64)
    }

    /// What all threads of the process ran so far.
    fn processor(&self) -> io::Result<Duration> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let nanoseconds = text.split(' ').next().unwrap_or_default();
            sum += nanoseconds.parse::<u64>().map_err(io::Error::other)?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ours end when their input does; the program does not.
        if self.orders.take().is_none() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Reads one answer, which must be a good one; returns its body.
fn read_answer(connection: &mut TcpStream) -> io::Result<String> {
    let (mut answer, mut read) = ([0; 4096], 0);
    loop {
        let more = connection.read(&mut answer[read..])?;
        read += more;
        let text = std::str::from_utf8(&answer[..read]).map_err(io::Error::other)?;
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if length.is_some_and(|length| body.len() >= length) {
                let good = head.starts_with("HTTP/1.1 200") && !body.starts_with("{\"active\":false");
                return if good { Ok(body.to_owned()) } else { Err(io::Error::other(text.to_owned())) };
            }
        }
        if more == 0 {
            return Err(io::Error::other("the connection was closed"));
        }
    }
}

/// Runs on one core, for a child that it starts too; on any, where there is only one.
fn on_core<R>(core: usize, run: impl FnOnce() -> R) -> io::Result<R> {
    let all = sched_getaffinity(None)?;
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).collect();
    let mut one = CpuSet::new();
    one.set(cores[core % cores.len()]);
    sched_setaffinity(None, &one)?;
    let outcome = run();
    sched_setaffinity(None, &all)?;
    Ok(outcome)
}
