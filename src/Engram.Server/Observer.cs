using Engram.Client;
using Engram.Server.Serving;
using Engram.Server.Store;
using Engram.Server.Training;
using Engram.Server.Versions;
using Engram.Server.Watching;

namespace Engram.Server;

/// <summary>Brings what happens in a learner to its monitor, and drift back to who learns.</summary>
internal sealed class Observer : IDisposable
{
    private const int Page = 1000;
    private const int MostRestored = 5000;
    private readonly LearnerContext _learner;
    private readonly LearnerMonitor _monitor;
    private long _judged; // truth up to this sequence was brought
    private int _drifting;

    public Observer(LearnerContext learner, PredictionService serving, VersionKeeper keeper, Teacher teacher)
    {
        _learner = learner;
        _monitor = new LearnerMonitor(learner.Specification.Name, learner.Clock, learner.Encoder.Names, learner.Specification.Seed);
        _monitor.Drifted += Drifted;
        _monitor.QueueLength = () => serving.Waiting;
        _monitor.FeedbackWaiting = () => learner.Store.Status(learner.Book.Champion?.Cursor ?? 0).Waiting;
        serving.Answered = Answered;
        keeper.Published = Published;
        teacher.Learnt = version =>
        {
            Volatile.Write(ref _drifting, 0); // it was answered, whatever came of that: only drift found from now on is a reason to learn again
            _monitor.Learnt(
                version is null ? "failed" : version.State.ToString().ToLowerInvariant(), version?.Samples ?? 0, TimeSpan.FromSeconds(version?.Seconds ?? 0));
        };
        teacher.Drifts = () => Volatile.Read(ref _drifting) == 1;
        if (learner.Book.Champion is { } champion) Published(champion);
        Restore();
    }

    /// <summary>All that is watched.</summary>
    public WatchReport Report() => _monitor.Report(_learner.Store.Performance(20), VersionHistory.Content(_learner));

    /// <summary>Feedback was acknowledged.</summary>
    public void Accepted(int count) => _monitor.Accepted(count);

    /// <summary>Brings truth that has come.</summary>
    /// <param name="also">Told of each prediction whose truth came, too.</param>
    public void BringTruth(Action<JudgedPrediction> also)
    {
        for (IReadOnlyList<JudgedPrediction> page; (page = _learner.Store.ReadJudged(_judged, Page)).Count > 0;)
        {
            foreach (var one in page)
            {
                _monitor.Judged(one);
                also(one);
            }
            _judged = page[^1].Sequence;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _monitor.Dispose();

    private void Restore()
    {
        _judged = _learner.Store.LastSequence;
        _monitor.Restore(_learner.Store.ReadJudged(Math.Max(0, _judged - MostRestored), MostRestored));
    }

    private void Published(VersionInfo version)
    {
        _monitor.Published(version.Version, version.Created);
        Volatile.Write(ref _drifting, 0);
    }

    private void Answered(ServedModel model, byte[][] inputs, IReadOnlyList<PredictionRecord> said, TimeSpan[] latencies)
    {
        var wanted = _monitor.RowsWanted(said.Count);
        _monitor.Predicted(model.Version, wanted == 0 ? [] : model.Features(inputs[..wanted]), _learner.Encoder.Width, said, latencies);
    }

    private void Drifted(IReadOnlyList<DriftSignal> signals)
    {
        Volatile.Write(ref _drifting, 1);
        foreach (var signal in signals)
            _learner.Events.Tell("drift", $"{signal.Of}{(signal.Feature is null ? "" : $" {signal.Feature}")}: {signal.Detector} at {signal.Value:0.###}");
    }
}
