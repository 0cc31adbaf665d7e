using System.Collections.Concurrent;
using System.Globalization;
using Engram.Client;
using Engram.Server.Serving;
using Engram.Server.Store;
using Engram.Server.Versions;

namespace Engram.Server.Gating;

/// <summary>Watches a version that is tried on live predictions, and the champion after it was published, and decides by what the truth says.</summary>
internal sealed class Trial(LearnerContext learner, PredictionService serving, VersionKeeper keeper)
{
    private const string Service = "service";
    private const int MostRemembered = 100_000;
    private const int MostVersions = 1000;
    private readonly GateSpecification _gate = learner.Specification.Gate;
    private readonly ConcurrentDictionary<string, (string Champion, string Shadow)> _said = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, (long Judged, long Right)> _live = new(learner.Store.Performance(MostVersions).Select(live =>
        KeyValuePair.Create(live.Version, (live.Labelled, (long)Math.Round(live.Labelled * (live.Accuracy ?? 0))))));
    private long _compared;
    private long _agreed;
    private int _worse;
    private int _better;

    /// <summary>Told what champion and shadow said of an input.</summary>
    public void Compared(string id, string champion, string shadow)
    {
        Interlocked.Increment(ref _compared);
        if (champion == shadow) Interlocked.Increment(ref _agreed);
        else if (_said.Count < MostRemembered) _said[id] = (champion, shadow); // where both say the same, the truth does not tell them apart
    }

    /// <summary>Told the truth about a prediction.</summary>
    public void Judged(string id, string label)
    {
        if (!_said.TryRemove(id, out var said)) return;
        if (said.Champion == label) Interlocked.Increment(ref _worse);
        else if (said.Shadow == label) Interlocked.Increment(ref _better);
    }

    /// <summary>Told of each prediction whose truth came, once.</summary>
    public void Count(JudgedPrediction judged) => _live.AddOrUpdate(
        judged.Version, _ => (1, judged.Right ? 1 : 0), (_, live) => (live.Judged + 1, live.Right + (judged.Right ? 1 : 0)));

    /// <summary>Begins to count anew.</summary>
    public void Reset()
    {
        _said.Clear();
        (_compared, _agreed, _worse, _better) = (0, 0, 0, 0);
    }

    /// <summary>Decides where enough is known. Its caller holds <see cref="LearnerContext.Changing"/>.</summary>
    /// <returns>Whether the champion stepped back: what it had learnt waits again.</returns>
    public async Task<bool> DecideAsync()
    {
        foreach (var version in learner.Book.All)
        {
            if (version.State == VersionState.Shadow) await DecideShadowAsync(version).ConfigureAwait(false);
            if (version.State == VersionState.Canary) await DecideCanaryAsync(version).ConfigureAwait(false);
        }
        return await StepBackAsync().ConfigureAwait(false);
    }

    private async Task DecideShadowAsync(VersionInfo version)
    {
        var compared = Interlocked.Read(ref _compared);
        if (compared < _gate.ShadowPredictions || serving.LeaseChallenger(version.Version) is not { } model) return;
        try
        {
            var drop = new Drop(_worse, _better, (int)Math.Min(compared, int.MaxValue));
            var seen = $"agreed on {_agreed} of {compared} live predictions; of the others {_better} were found right and {_worse} wrong";
            if (drop.Exceeds(_gate.MaxAccuracyDrop)) await keeper.RefuseAsync(version, null, seen).ConfigureAwait(false);
            else await keeper.TryAsync(version, model, afterShadow: true, seen).ConfigureAwait(false);
            Reset();
        }
        finally
        {
            model.Release();
        }
    }

    private async Task DecideCanaryAsync(VersionInfo version)
    {
        if (Live(version.Version) is not { } own || own.Labelled < _gate.CanarySamples || serving.LeaseChallenger(version.Version) is not { } model) return;
        try
        {
            var champion = learner.Book.Champion is { } now ? Live(now.Version) : null;
            var seen = Text(own, champion);
            if (FallsBelow(own, champion)) await keeper.RefuseAsync(version, null, $"stepped back: {seen}").ConfigureAwait(false);
            else await keeper.PublishAsync(version, model, Service, seen).ConfigureAwait(false);
        }
        finally
        {
            model.Release();
        }
    }

    private async Task<bool> StepBackAsync()
    {
        if (_gate.StepBackDrop >= 1 || learner.Book.Champion is not { Parent: { } number } champion || learner.Book.Find(number) is not { } parent
            || champion.Trigger == "unlearn" || !learner.Folders.Has(number)) return false;
        if (Live(champion.Version) is not { } own || own.Labelled < _gate.CanarySamples) return false;
        var before = Live(parent.Version);
        if (before is null || before.Labelled < _gate.CanarySamples || !FallsBelow(own, before)) return false;
        var reason = $"stepped back from version {champion.Version}: {Text(own, before)}";
        await keeper.PublishAsync(parent, keeper.Load(parent.Version), Service, reason, "version.rollback").ConfigureAwait(false);
        await learner.Book.WriteAsync(learner.Book.Get(champion.Version) with { State = VersionState.Refused, Reason = reason }).ConfigureAwait(false);
        return true;
    }

    private LivePerformance? Live(int version) =>
        _live.TryGetValue(version, out var live) && live.Judged > 0 ? new LivePerformance(version, live.Judged, (double)live.Right / live.Judged) : null;

    // Beyond what chance explains: one standard error of the difference of two shares.
    private bool FallsBelow(LivePerformance own, LivePerformance? other)
    {
        if (other is null || other.Labelled == 0) return false;
        var error = Math.Sqrt(Variance(own) + Variance(other));
        return other.Accuracy!.Value - own.Accuracy!.Value > Math.Max(_gate.StepBackDrop, error);
    }

    private static double Variance(LivePerformance live) => live.Accuracy!.Value * (1 - live.Accuracy.Value) / live.Labelled;

    private static string Text(LivePerformance own, LivePerformance? other) => string.Create(
        CultureInfo.InvariantCulture, $"{100 * own.Accuracy:0.0} % of {own.Labelled} judged predictions right")
        + (other is null ? "" : string.Create(CultureInfo.InvariantCulture, $", version {other.Version} {100 * other.Accuracy:0.0} % of {other.Labelled}"));
}
