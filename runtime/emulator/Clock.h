// What has happened before what. Every actor (a thread, or an agent that carries out asynchronous operations)
// counts its epochs; a clock says which epochs of every actor are known to be over.
//
// Clocks are kept per domain: the blocks of one cluster, or a single block. A view is a vector over the
// actors of one domain, immutable and shared by all who know the same, so that a barrier of N threads makes
// one vector and not N. What a thread knows of other domains is a list of their views, exchanged where
// counters in global memory release and acquire. A clock is used by one host thread at a time; nothing here
// is locked.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::emulator {

/// Index of an actor in its domain. The threads of the domain's blocks come first.
using Actor = uint16_t;

/// For every actor the last epoch that is over. Immutable once shared.
struct View {
  uint32_t references = 0;
  std::vector<uint32_t> epochs; ///< Of actors beyond the end: none.
  uint32_t at(Actor actor) const { return actor < epochs.size() ? epochs[actor] : 0; }
};

/// Counted pointer to a view; null knows nothing.
class ViewRef {
public:
  ViewRef() = default;
  explicit ViewRef(View *view) : view(view) {
    if (view)
      ++view->references;
  }
  ViewRef(const ViewRef &other) : ViewRef(other.view) {}
  ViewRef(ViewRef &&other) noexcept : view(std::exchange(other.view, nullptr)) {}
  ViewRef &operator=(ViewRef other) noexcept {
    std::swap(view, other.view);
    return *this;
  }
  ~ViewRef() {
    if (view && --view->references == 0)
      delete view;
  }
  View *get() const { return view; }
  const View *operator->() const { return view; }
  explicit operator bool() const { return view; }
  bool operator==(const ViewRef &other) const { return view == other.view; }
  uint32_t at(Actor actor) const { return view ? view->at(actor) : 0; }

private:
  View *view = nullptr;
};

/// What is known of an epoch: that it is over; that its generic writes to shared memory have passed a proxy
/// fence, so that asynchronous operations see them; the same for global memory.
enum Knowledge : uint8_t { ordered, fencedShared, fencedGlobal };
constexpr unsigned knowledgeKinds = 3;
using Views = std::array<ViewRef, knowledgeKinds>;

/// What is known of other domains. Immutable once shared; by increasing domain.
struct Foreign {
  std::vector<std::pair<uint32_t, Views>> domains;
  const Views *find(uint32_t domain) const;
};
using ForeignRef = std::shared_ptr<const Foreign>;

/// Asynchronous agents that each thread has for itself.
enum class OwnAgent : uint8_t { cpAsync, bulkSource, bulkComplete };
constexpr unsigned ownAgents = 3;

/// What one thread knows.
struct Clock {
  uint32_t domain = 0;
  Actor self = 0;
  uint32_t epoch = 1;                                      ///< Of `self`: the one that is running.
  std::array<uint32_t, knowledgeKinds> fenced{};           ///< Last epoch of `self` that passed the fence.
  std::array<Actor, ownAgents> agent{};                    ///< 0: not created; actor 0 is a thread.
  std::array<uint32_t, ownAgents> agentOver{};             ///< Epochs that the thread knows to be over.
  std::array<std::array<uint32_t, ownAgents>, knowledgeKinds> agentFenced{};
  Views known;                                             ///< Of everyone else in the domain.
  ForeignRef foreign;

  /// Whether that epoch of an actor is over, or has passed the fence. One's own epochs are always over.
  bool knows(uint32_t ofDomain, Actor actor, uint32_t ofEpoch, Knowledge kind = ordered) const {
    if (ofDomain != domain)
      return knowsForeign(ofDomain, actor, ofEpoch, kind);
    if (actor == self)
      return kind == ordered || fenced[kind] >= ofEpoch;
    return known[kind].at(actor) >= ofEpoch || knowsOwnAgent(actor, ofEpoch, kind);
  }
  /// A proxy fence: everything known to be over, and one's own writes so far, are visible to the async proxy.
  void fence(Knowledge kind);

private:
  bool knowsForeign(uint32_t ofDomain, Actor actor, uint32_t ofEpoch, Knowledge kind) const;
  bool knowsOwnAgent(Actor actor, uint32_t ofEpoch, Knowledge kind) const;
};

/// Joins views and remembers the last results: threads that know the same and learn the same share the
/// result.
class Joiner {
public:
  ViewRef join(const ViewRef &a, const ViewRef &b);
  ForeignRef join(const ForeignRef &a, const ForeignRef &b);
  /// `view` with epochs of `actor` up to `epoch` over.
  ViewRef raise(const ViewRef &view, Actor actor, uint32_t epoch);
  void forget();

private:
  struct Entry {
    ViewRef a, b, result;
  };
  struct Raised {
    ViewRef view, result;
    Actor actor = 0;
    uint32_t epoch = 0;
  };
  std::array<Entry, 64> joined;
  std::array<Raised, 16> raised;
  ForeignRef foreignA, foreignB, foreignResult;
};

/// A clock that threads add to and learn from: a phase of a barrier or mbarrier, a counter.
class SyncClock {
public:
  /// Adds what the thread knows, and begins its next epoch.
  void release(Clock &clock);
  /// Adds what the thread knew when `clock` was copied; its epoch does not change.
  void add(const Clock &clock);
  /// Adds that epochs of an agent up to `epoch` are over.
  void raise(uint32_t domain, Actor actor, uint32_t epoch);
  void join(SyncClock &other);
  /// The thread learns everything that was added.
  void acquire(Clock &clock, Joiner &joiner);
  void clear();
  bool empty() const { return domains.empty(); }
  /// A copy that shares its views with this one.
  SyncClock snapshot();

private:
  struct Accumulator {
    std::vector<uint32_t> epochs; ///< Or, if `frozen` is set, that.
    ViewRef last, frozen;         ///< `last`: the view joined last, which need not be joined again.
    void add(const ViewRef &view);
    void add(Actor actor, uint32_t epoch);
    void open();
    const ViewRef &freeze();
  };
  struct Domain {
    uint32_t id = 0;
    std::array<Accumulator, knowledgeKinds> of;
  };
  Domain &domain(uint32_t id);
  const ForeignRef &freezeForeign();

  std::vector<Domain> domains;
  ForeignRef lastForeign, frozenForeign;
};

/// The thread learns that epochs of an agent of its domain up to `epoch` are over: what a wait for it gives.
void learn(Clock &clock, Actor actor, uint32_t epoch, Joiner &joiner);

} // namespace sluice::emulator
