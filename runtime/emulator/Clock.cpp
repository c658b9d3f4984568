// Joining of clocks.
#include "runtime/emulator/Clock.h"

#include <algorithm>

namespace sluice::emulator {

namespace {

void maximum(std::vector<uint32_t> &into, const std::vector<uint32_t> &other) {
  if (into.size() < other.size())
    into.resize(other.size());
  for (size_t i = 0; i < other.size(); ++i)
    into[i] = std::max(into[i], other[i]);
}

bool covers(const View &a, const View &b) {
  size_t common = std::min(a.epochs.size(), b.epochs.size());
  uint32_t below = 0;
  for (size_t i = 0; i < common; ++i)
    below |= a.epochs[i] < b.epochs[i];
  for (size_t i = common; i < b.epochs.size(); ++i)
    below |= b.epochs[i] != 0;
  return !below;
}

size_t slotOf(const void *a, const void *b, size_t slots) {
  auto mixed = (reinterpret_cast<uintptr_t>(a) >> 4) * 31 + (reinterpret_cast<uintptr_t>(b) >> 4);
  return (mixed ^ mixed >> 7) % slots;
}

} // namespace

const Views *Foreign::find(uint32_t domain) const {
  auto found = std::lower_bound(domains.begin(), domains.end(), domain,
                                [](const auto &entry, uint32_t id) { return entry.first < id; });
  return found != domains.end() && found->first == domain ? &found->second : nullptr;
}

void Clock::fence(Knowledge kind) {
  known[kind] = known[ordered];
  agentFenced[kind] = agentOver;
  bool news = foreign && std::any_of(foreign->domains.begin(), foreign->domains.end(), [&](const auto &one) {
                return !(one.second[kind] == one.second[ordered]);
              });
  if (news) {
    auto fencedToo = std::make_shared<Foreign>(*foreign);
    for (auto &[id, views] : fencedToo->domains)
      views[kind] = views[ordered];
    foreign = fencedToo;
  }
  // What the thread writes from here on has not passed the fence, so it belongs to the next epoch.
  fenced[kind] = epoch++;
}

bool Clock::knowsForeign(uint32_t ofDomain, Actor actor, uint32_t ofEpoch, Knowledge kind) const {
  const Views *views = foreign ? foreign->find(ofDomain) : nullptr;
  return views && (*views)[kind].at(actor) >= ofEpoch;
}

bool Clock::knowsOwnAgent(Actor actor, uint32_t ofEpoch, Knowledge kind) const {
  for (unsigned i = 0; i < ownAgents; ++i)
    if (agent[i] == actor && actor)
      return (kind == ordered ? agentOver[i] : agentFenced[kind][i]) >= ofEpoch;
  return false;
}

ViewRef Joiner::join(const ViewRef &a, const ViewRef &b) {
  if (!b || a == b)
    return a;
  if (!a)
    return b;
  Entry &entry = joined[slotOf(a.get(), b.get(), joined.size())];
  if (entry.a == a && entry.b == b)
    return entry.result;
  entry.a = a;
  entry.b = b;
  if (covers(*b.get(), *a.get())) {
    entry.result = b;
  } else if (covers(*a.get(), *b.get())) {
    entry.result = a;
  } else {
    auto *view = new View{0, a->epochs};
    maximum(view->epochs, b->epochs);
    entry.result = ViewRef(view);
  }
  return entry.result;
}

ForeignRef Joiner::join(const ForeignRef &a, const ForeignRef &b) {
  if (!b || a == b)
    return a;
  if (!a)
    return b;
  if (foreignA == a && foreignB == b)
    return foreignResult;
  auto result = std::make_shared<Foreign>(*a);
  for (const auto &[domain, views] : b->domains) {
    auto at = std::lower_bound(result->domains.begin(), result->domains.end(), domain,
                               [](const auto &entry, uint32_t id) { return entry.first < id; });
    if (at == result->domains.end() || at->first != domain) {
      result->domains.insert(at, {domain, views});
      continue;
    }
    for (unsigned kind = 0; kind < knowledgeKinds; ++kind)
      at->second[kind] = join(at->second[kind], views[kind]);
  }
  foreignA = a;
  foreignB = b;
  foreignResult = result;
  return foreignResult;
}

ViewRef Joiner::raise(const ViewRef &view, Actor actor, uint32_t epoch) {
  if (view.at(actor) >= epoch)
    return view;
  Raised &entry = raised[slotOf(view.get(), reinterpret_cast<void *>(uintptr_t(actor) << 4), raised.size())];
  if (entry.result && entry.view == view && entry.actor == actor && entry.epoch == epoch)
    return entry.result;
  auto *result = new View{0, view ? view->epochs : std::vector<uint32_t>()};
  if (result->epochs.size() <= actor)
    result->epochs.resize(actor + 1u);
  result->epochs[actor] = epoch;
  entry = {view, ViewRef(result), actor, epoch};
  return entry.result;
}

void Joiner::forget() { *this = Joiner(); }

void SyncClock::Accumulator::add(const ViewRef &view) {
  if (!view || view == last)
    return;
  last = view;
  // The first view is taken as it is; a vector is made when there is something to join.
  if (epochs.empty() && !frozen) {
    frozen = view;
    return;
  }
  open();
  maximum(epochs, view->epochs);
}

void SyncClock::Accumulator::add(Actor actor, uint32_t epoch) {
  if (frozen && frozen.at(actor) >= epoch)
    return;
  open();
  if (epochs.size() <= actor)
    epochs.resize(actor + 1u);
  epochs[actor] = std::max(epochs[actor], epoch);
}

void SyncClock::Accumulator::open() {
  if (!frozen)
    return;
  epochs = frozen->epochs;
  frozen = ViewRef();
}

const ViewRef &SyncClock::Accumulator::freeze() {
  if (!frozen && !epochs.empty())
    frozen = ViewRef(new View{0, std::move(epochs)});
  epochs.clear();
  return frozen;
}

SyncClock::Domain &SyncClock::domain(uint32_t id) {
  if (!domains.empty() && domains.front().id == id)
    return domains.front();
  auto at = std::lower_bound(domains.begin(), domains.end(), id,
                             [](const Domain &domain, uint32_t wanted) { return domain.id < wanted; });
  if (at == domains.end() || at->id != id) {
    at = domains.emplace(at);
    at->id = id;
  }
  return *at;
}

void SyncClock::release(Clock &clock) {
  add(clock);
  ++clock.epoch;
}

void SyncClock::add(const Clock &clock) {
  frozenForeign = nullptr;
  Domain &own = domain(clock.domain);
  for (unsigned kind = 0; kind < knowledgeKinds; ++kind) {
    Accumulator &into = own.of[kind];
    into.add(clock.known[kind]);
    if (uint32_t epoch = kind == ordered ? clock.epoch : clock.fenced[kind])
      into.add(clock.self, epoch);
    for (unsigned i = 0; i < ownAgents; ++i)
      if (uint32_t over = kind == ordered ? clock.agentOver[i] : clock.agentFenced[kind][i])
        into.add(clock.agent[i], over);
  }
  if (!clock.foreign || clock.foreign == lastForeign)
    return;
  lastForeign = clock.foreign;
  for (const auto &[id, views] : clock.foreign->domains)
    for (unsigned kind = 0; kind < knowledgeKinds; ++kind)
      domain(id).of[kind].add(views[kind]);
}

void SyncClock::raise(uint32_t id, Actor actor, uint32_t epoch) {
  frozenForeign = nullptr;
  domain(id).of[ordered].add(actor, epoch);
}

void SyncClock::join(SyncClock &other) {
  frozenForeign = nullptr;
  for (Domain &theirs : other.domains)
    for (unsigned kind = 0; kind < knowledgeKinds; ++kind)
      domain(theirs.id).of[kind].add(theirs.of[kind].freeze());
}

const ForeignRef &SyncClock::freezeForeign() {
  if (!frozenForeign) {
    auto all = std::make_shared<Foreign>();
    for (Domain &entry : domains) {
      all->domains.emplace_back(entry.id, Views());
      for (unsigned kind = 0; kind < knowledgeKinds; ++kind)
        all->domains.back().second[kind] = entry.of[kind].freeze();
    }
    frozenForeign = all;
  }
  return frozenForeign;
}

void SyncClock::acquire(Clock &clock, Joiner &joiner) {
  if (domains.empty())
    return;
  if (domains.size() == 1 && domains.front().id == clock.domain) {
    for (unsigned kind = 0; kind < knowledgeKinds; ++kind)
      clock.known[kind] = joiner.join(clock.known[kind], domains.front().of[kind].freeze());
    return;
  }
  // The list holds the thread's own domain too: it is not asked for it, and all who acquire share the list.
  const ForeignRef &all = freezeForeign();
  if (const Views *own = all->find(clock.domain))
    for (unsigned kind = 0; kind < knowledgeKinds; ++kind)
      clock.known[kind] = joiner.join(clock.known[kind], (*own)[kind]);
  clock.foreign = joiner.join(clock.foreign, all);
}

void SyncClock::clear() {
  domains.clear();
  lastForeign = frozenForeign = nullptr;
}

SyncClock SyncClock::snapshot() {
  freezeForeign();
  return *this;
}

void learn(Clock &clock, Actor actor, uint32_t epoch, Joiner &joiner) {
  clock.known[ordered] = joiner.raise(clock.known[ordered], actor, epoch);
}

} // namespace sluice::emulator
