//! One world: processes, store, clock, and whatever is under way. A step is one store call, one question to the host or
//! one actor's move.

use proofkey_core::{Memo, UnixTime, User, UserAnswer, UserQuestion, UserSource, Write};

use crate::answer::{Answer, Body};
use crate::browser::Browser;
use crate::call::Call;
use crate::client::Session;
use crate::dice::Dice;
use crate::fault::{Fault, Weather};
use crate::flight::{Flight, Given, Next, Running, Sender, failed};
use crate::house::{CLIENTS, FIRST_PARTY, House, Houses, PASSWORD, PASSWORD_HASH, START, USERS};
use crate::model::{FlightNumber, Model, Violation};
use crate::operator::Operator;
use crate::report::Tally;
use crate::rows::Rows;
use crate::story::Story;
use crate::wallet::{Kind, Wallet};

/// Requests under way at once.
const CROWD: usize = 7;

/// A server process.
pub(crate) struct Process {
    /// What its clock shows beside the true time, in seconds.
    pub(crate) offset: i64,
    pub(crate) far_off: bool,
    /// How far it is in the rotation of keys.
    pub(crate) stage: usize,
}

/// A write that was answered by an error and is still on its way.
struct Late {
    write: Write,
    flight: FlightNumber,
    due: u64,
}

pub(crate) struct World<'a> {
    pub(crate) houses: &'a Houses,
    pub(crate) house: &'a House,
    pub(crate) memo: &'a mut Memo,
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    /// Milliseconds since the world began.
    pub(crate) clock: u64,
    pub(crate) rows: Rows,
    late: Vec<Late>,
    /// Until when the store fails.
    down_until: u64,
    /// A leap of the clock that waits until nothing is under way, in seconds.
    leap: Option<u64>,
    pub(crate) processes: Vec<Process>,
    pub(crate) flights: Vec<Flight>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) browsers: Vec<Browser>,
    pub(crate) operator: Operator,
    pub(crate) dismissed: [bool; USERS],
    pub(crate) wallet: Wallet,
    pub(crate) model: Model,
    pub(crate) tally: Tally,
    pub(crate) story: Story,
}

impl<'a> World<'a> {
    pub(crate) fn new(houses: &'a Houses, memo: &'a mut Memo, rows: Rows, seed: u64, story: Story) -> Self {
        let mut dice = Dice::seeded(seed);
        let house = &houses.houses[dice.below(houses.houses.len())];
        let weather = Weather::drawn(&mut dice);
        let skewed = weather.rate(Fault::Skew) > 0;
        let mut processes: Vec<Process> = (0..2 + dice.below(7))
            .map(|_| {
                let offset = if skewed { dice.below(6) as i64 } else { 0 };
                Process { offset, far_off: false, stage: 0 }
            })
            .collect();
        if weather.rate(Fault::HourOff) > 0 {
            let ahead = dice.below(2) == 0;
            let at = dice.below(processes.len());
            processes[at].offset += if ahead { 3600 } else { -3600 };
            processes[at].far_off = true;
        }
        let mut sessions: Vec<Session> = (0..1 + dice.below(6)).map(|_| Session::drawn(&mut dice)).collect();
        let browsers = Browser::drawn(seed);
        sessions.extend(browsers.iter().flat_map(|_| [Session::of_browser(), Session::of_browser()]));
        Self {
            houses,
            house,
            memo,
            dice,
            weather,
            clock: 0,
            rows,
            late: Vec::new(),
            down_until: 0,
            leap: None,
            processes,
            flights: Vec::new(),
            sessions,
            browsers,
            operator: Operator::default(),
            dismissed: [false; USERS],
            wallet: Wallet::default(),
            model: Model::new(house.terms),
            tally: Tally::default(),
            story,
        }
    }

    /// One step under faults.
    pub(crate) fn step(&mut self) -> Result<(), Violation> {
        self.tally.steps += 1;
        self.pass_time()?;
        let crowded = self.flights.len() >= CROWD || (self.leap.is_some() && !self.flights.is_empty());
        if crowded || (!self.flights.is_empty() && self.dice.permille(780)) {
            let at = self.dice.below(self.flights.len());
            return self.advance(at).map(drop);
        }
        if let Some(seconds) = self.leap.take() {
            self.clock += seconds * 1000;
            self.story.tell(self.clock, || format!("{seconds} s pass"));
            return Ok(());
        }
        self.someone_moves();
        Ok(())
    }

    fn someone_moves(&mut self) {
        if !self.browsers.is_empty() && self.dice.below(100) < self.browsers[0].pace {
            self.browser_moves();
            return;
        }
        match self.dice.below(100) {
            0..2 => self.leap = Some(self.span()),
            2..12 => self.attacker_moves(),
            12..18 => self.operator_moves(),
            _ => {
                let session = self.dice.below(self.sessions.len());
                self.client_moves(session);
            }
        }
    }

    /// Spans around the ones that matter.
    fn span(&mut self) -> u64 {
        let terms = self.house.terms;
        let about = match self.dice.below(12) {
            0..4 => terms.leeway,
            4..6 => terms.leeway + crate::house::SKEW + 1,
            6..8 => terms.code_lifetime,
            8 => terms.access_lifetime,
            9 => terms.refresh_lifetime,
            10 => terms.grant_lifetime,
            // Beyond the margin of rows.
            _ => 4 * 3600,
        };
        (about + self.dice.below(5) as u64).saturating_sub(2)
    }

    /// Lets a little time pass: late writes land, the store fails for a while, flows run out of time.
    fn pass_time(&mut self) -> Result<(), Violation> {
        self.clock += match self.dice.below(100) {
            0 => self.dice.below(4000) as u64,
            1..6 => self.dice.below(800) as u64,
            _ => self.dice.below(20) as u64,
        };
        self.land_late(self.clock);
        if self.weather.strikes(Fault::Down, &mut self.dice) && self.clock >= self.down_until {
            let span = 50 + self.dice.below(500) as u64;
            self.down_until = self.clock + span;
            self.story.tell(self.clock, || format!("the store fails for {span} ms"));
        }
        let deadline = self.house.terms.deadline * 1000;
        while let Some(at) = self.flights.iter().position(|flight| flight.sent + deadline < self.clock) {
            let flight = self.flights.swap_remove(at);
            self.model.hurt(flight.number);
            self.end(&flight, &Answer::deadline())?;
        }
        Ok(())
    }

    /// Lands the late writes that are due at `until`, as far as they can.
    pub(crate) fn land_late(&mut self, until: u64) {
        while let Some(at) = self.late.iter().position(|late| late.due <= until) {
            let late = self.late.remove(at);
            if self.rows.put(&late.write) {
                self.landed(late.flight, &late.write);
                self.tally.struck(Fault::Late);
                self.story
                    .tell(self.clock, || format!("#{}: the late write of {} lands", late.flight, late.write.key()));
            }
        }
    }

    fn landed(&mut self, flight: FlightNumber, write: &Write) {
        let key = write.key().as_str();
        if key.starts_with("g.") {
            self.model.landed(flight);
        }
        if key.starts_with("b.") && write.expect().is_none() {
            let name = self.wallet.note(Kind::SignIn, key).0;
            self.model.sign_in_landed(flight, name);
        }
    }

    /// How many clients there are: the third-party one is for browsers.
    pub(crate) const fn clients(&self) -> usize {
        if self.browsers.is_empty() { FIRST_PARTY } else { CLIENTS.len() }
    }

    /// What the clock of a process shows, in seconds.
    pub(crate) fn now_at(&self, process: usize) -> u64 {
        (START + self.clock / 1000).saturating_add_signed(self.processes[process].offset)
    }

    /// Sends a request to some process.
    pub(crate) fn send(&mut self, sender: Sender, call: Call) {
        let process = self.dice_process();
        self.send_to(process, sender, call);
        if sender != Sender::Operator && self.weather.strikes(Fault::Duplicate, &mut self.dice) {
            let process = self.dice_process();
            self.send_to(process, Sender::Network, call);
        }
    }

    fn dice_process(&mut self) -> usize {
        self.dice.below(self.processes.len())
    }

    pub(crate) fn send_to(&mut self, process: usize, sender: Sender, call: Call) {
        let now = self.now_at(process);
        let number = self.model.begin(call, now, self.processes[process].far_off);
        let stage = self.processes[process].stage;
        let core = &self.house.cores[stage];
        let entropy = self.dice.entropy();
        let running = Running::begin(call, core, self.houses, &self.wallet, now, entropy);
        self.story.tell(self.clock, || format!("#{number} to process {process}: {call}"));
        self.flights.push(Flight {
            number,
            process,
            stage,
            sender,
            call,
            running,
            sent: self.clock,
            calls: 0,
            callback_failed: false,
        });
    }

    /// Lets a request take one step.
    ///
    /// Returns its answer, if that was the last one.
    pub(crate) fn advance(&mut self, at: usize) -> Result<Option<Answer>, Violation> {
        let mut flight = self.flights.swap_remove(at);
        let is_store = matches!(flight.running.next(), Next::Delete | Next::Find | Next::Get(_) | Next::Put(_));
        if is_store && self.weather.strikes(Fault::CrashBefore, &mut self.dice) {
            self.crash(flight, Fault::CrashBefore);
            return Ok(None);
        }
        flight.calls += u32::from(is_store);
        flight = self.answer_step(flight);
        if is_store && self.weather.strikes(Fault::CrashAfter, &mut self.dice) {
            self.crash(flight, Fault::CrashAfter);
            return Ok(None);
        }
        while matches!(flight.running.next(), Next::Work) {
            flight.running = flight.running.give(Given::Work(self.memo));
        }
        match flight.running.answer(flight.call, &mut self.wallet) {
            Some(answer) => self.end(&flight, &answer).map(|()| Some(answer)),
            None => {
                self.flights.push(flight);
                Ok(None)
            }
        }
    }

    fn answer_step(&mut self, mut flight: Flight) -> Flight {
        let number = flight.number;
        let down = self.clock < self.down_until;
        let running = flight.running;
        flight.running = match running.next() {
            Next::Put(write) => {
                let write = write.clone();
                let stored = self.put(number, &write, down);
                running.give(Given::Written(stored))
            }
            Next::User(question) => {
                let fails = self.weather.strikes(Fault::Callback, &mut self.dice);
                let answer = if fails { Err(failed()) } else { Ok(self.host_answers(question)) };
                if matches!(answer, Ok(UserAnswer::Found(_))) {
                    self.model.found_user(number);
                }
                if fails {
                    self.model.hurt(number);
                    flight.callback_failed = true;
                    self.story.tell(self.clock, || format!("#{number}: the host's callback fails"));
                }
                running.give(Given::User(answer))
            }
            Next::Delete | Next::Find | Next::Get(_) if down => {
                self.strike(number, Fault::Down);
                running.give(Given::Failed)
            }
            Next::Get(key) => {
                self.story.tell(self.clock, || format!("#{number}: get {key}"));
                running.give(Given::Done(&mut self.rows))
            }
            Next::Delete | Next::Find => {
                self.story.tell(self.clock, || format!("#{number}: find or delete"));
                running.give(Given::Done(&mut self.rows))
            }
            Next::Done | Next::Work => running,
        };
        flight
    }

    fn strike(&mut self, number: FlightNumber, fault: Fault) {
        self.model.hurt(number);
        self.tally.struck(fault);
        self.story.tell(self.clock, || format!("#{number}: {fault}"));
    }

    /// A conditional write: what the flow is told of it.
    fn put(&mut self, number: FlightNumber, write: &Write, down: bool) -> Option<bool> {
        let takes = self.rows.takes(write);
        if down {
            self.strike(number, Fault::Down);
            return None;
        }
        for fault in [Fault::Conflict, Fault::Lost, Fault::Late] {
            if !self.weather.strikes(fault, &mut self.dice) {
                continue;
            }
            if takes && fault != Fault::Late {
                self.tally.struck(fault);
            }
            self.model.hurt(number);
            self.story.tell(self.clock, || format!("#{number}: put {}: {fault}", write.key()));
            return match fault {
                Fault::Conflict => {
                    self.model.lost_race(number);
                    Some(false)
                }
                Fault::Late => {
                    let due = self.clock + self.dice.below(8000) as u64;
                    self.late.push(Late { write: write.clone(), flight: number, due });
                    None
                }
                _ => {
                    if self.rows.put(write) {
                        self.landed(number, write);
                    }
                    None
                }
            };
        }
        let stored = self.rows.put(write);
        self.story.tell(self.clock, || {
            format!("#{number}: put {}{}", write.key(), if stored { "" } else { ": somebody was quicker" })
        });
        if stored {
            self.landed(number, write);
        } else {
            self.model.lost_race(number);
        }
        Some(stored)
    }

    fn host_answers(&self, question: &UserQuestion) -> UserAnswer {
        let known = |name: &str, prefix: &str| {
            let number: usize = name.strip_prefix(prefix)?.parse().ok()?;
            (number < USERS).then_some(number)
        };
        let found = |number: Option<usize>| match number {
            None => UserAnswer::Absent,
            Some(number) if self.dismissed[number] => UserAnswer::Dismissed,
            Some(number) => {
                let user = User::new(format!("u-{number}")).with_username(format!("user{number}"));
                UserAnswer::Found(match self.house.users {
                    UserSource::Find => user.with_password_hash(PASSWORD_HASH),
                    _ => user,
                })
            }
        };
        match question {
            UserQuestion::Authenticate { name, password } if password.expose() == PASSWORD.as_bytes() => {
                found(known(name, "user"))
            }
            UserQuestion::Find { subject } => found(known(subject, "u-")),
            UserQuestion::FindByName { name } => found(known(name, "user")),
            _ => UserAnswer::Absent,
        }
    }

    /// A process dies with all that it had under way, and comes back with the newest keys.
    fn crash(&mut self, flight: Flight, fault: Fault) {
        let process = flight.process;
        self.tally.struck(fault);
        self.story.tell(self.clock, || format!("#{}: process {process} dies: {fault}", flight.number));
        self.flights.push(flight);
        let (dead, alive) = std::mem::take(&mut self.flights).into_iter().partition(|one| one.process == process);
        self.flights = alive;
        for flight in dead {
            self.forgotten(&flight);
        }
        self.processes[process].stage = self.operator.newest(&self.processes, self.processes[process].stage);
    }

    /// A request has its answer.
    fn end(&mut self, flight: &Flight, answer: &Answer) -> Result<(), Violation> {
        let number = flight.number;
        self.story.tell(self.clock, || format!("#{number}: {answer}, after {} store calls", flight.calls));
        self.tally.answered(flight.call.operation(), answer);
        self.count_faults(flight, answer);
        self.model.end(number, answer, flight.calls)?;
        if let Body::Tokens(issued) = answer.body {
            self.tally.tokens += u64::from(!issued.access_seen);
            self.tally.tokens += u64::from(issued.refresh.is_some_and(|(_, seen)| !seen));
        }
        if matches!(flight.sender, Sender::Browser(..) | Sender::Client(_))
            && self.weather.strikes(Fault::ReplyLost, &mut self.dice)
        {
            if answer.is_ok() {
                self.tally.struck(Fault::ReplyLost);
            }
            self.story.tell(self.clock, || format!("#{number}: the reply is lost"));
            self.forgotten(flight);
            return Ok(());
        }
        self.delivered(flight, answer);
        Ok(())
    }

    fn count_faults(&mut self, flight: &Flight, answer: &Answer) {
        let process = &self.processes[flight.process];
        let told = matches!(answer.body, Body::Tokens(_)) || !answer.is_ok();
        let struck = [
            (Fault::Callback, flight.callback_failed && !answer.is_ok()),
            (Fault::Duplicate, flight.sender == Sender::Network),
            (Fault::HourOff, process.far_off && told),
            (Fault::KeyRotation, process.stage == 2 && told),
            (Fault::Skew, !process.far_off && process.offset != 0 && told),
        ];
        for (fault, _) in struck.into_iter().filter(|(_, struck)| *struck) {
            self.tally.struck(fault);
        }
    }

    fn delivered(&mut self, flight: &Flight, answer: &Answer) {
        match flight.sender {
            Sender::Browser(browser, tab) => self.browser_hears(browser, tab, answer),
            Sender::Client(session) => self.sessions[session].hears(flight.call, answer),
            Sender::Operator => self.operator.hears(flight.call, answer),
            Sender::Attacker | Sender::Network => {}
        }
    }

    /// Whoever sent the request never hears of it.
    fn forgotten(&mut self, flight: &Flight) {
        match flight.sender {
            Sender::Browser(browser, tab) => self.browsers[browser].misses(tab),
            Sender::Client(session) => self.sessions[session].misses(flight.call),
            Sender::Operator => self.operator.misses(flight.call),
            Sender::Attacker | Sender::Network => {}
        }
    }

    /// Sweeps by the clock of some process.
    pub(crate) fn sweep(&mut self) {
        let process = self.dice_process();
        let now = UnixTime::from_seconds(self.now_at(process));
        let swept = self.rows.sweep(now, 64);
        if swept > 0 {
            self.tally.struck(Fault::Sweep);
        }
        self.story.tell(self.clock, || format!("process {process} sweeps {swept} rows"));
    }

    /// The store answers again.
    pub(crate) const fn store_is_up(&mut self) {
        self.down_until = 0;
    }
}
