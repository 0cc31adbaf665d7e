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
    private const string Service = LearnerContext.Service;
    private const int MostRemembered = 100_000;
    private const int MostVersions = 1000;
    private const int MostLooks = 4;
    private readonly GateSpecification _gate = learner.Specification.Gate;
    private readonly Lock _comparing = new();
    private readonly Dictionary<string, (string Champion, string Shadow)> _said = new(StringComparer.Ordinal);
    // Judged predictions of each version: enough to know when to look, and no more, for a correction counts twice here.
    private readonly ConcurrentDictionary<int, long> _judged = new(learner.Store.Performance(MostVersions)
        .Select(live => KeyValuePair.Create(live.Version, live.Labelled)));
    private int _shadow; // the version that is compared
    private long _compared;
    private long _agreed;
    private int _worse;
    private int _better;
    private (int Version, int Looks) _watched;

    /// <summary>Told what champion and shadow said of an input.</summary>
    public void Compared(int version, string id, string champion, string shadow)
    {
        lock (_comparing)
        {
            if (version != _shadow)
            {
                _said.Clear();
                (_shadow, _compared, _agreed, _worse, _better) = (version, 0, 0, 0, 0);
            }
            _compared++;
            if (champion == shadow) _agreed++;
            else if (_said.Count < MostRemembered) _said[id] = (champion, shadow); // where both say the same, the truth does not tell them apart
        }
    }

    /// <summary>Told the truth about a prediction.</summary>
    /// <param name="id">The prediction.</param>
    /// <param name="label">The true label; null where a reward is all that is known.</param>
    /// <param name="reward">The reward of what the champion said.</param>
    public void Judged(string id, string? label, double? reward)
    {
        lock (_comparing)
        {
            if (!_said.Remove(id, out var said)) return;
            // A low reward says that the champion is wrong, and not whether the shadow is right.
            if (said.Champion == label || reward >= FeedbackRules.Confirming) _worse++;
            else if (said.Shadow == label) _better++;
        }
    }

    /// <summary>Told of each prediction whose truth came, once.</summary>
    public void Count(JudgedPrediction judged) => _judged.AddOrUpdate(judged.Version, 1, (_, count) => count + 1);

    /// <summary>Decides where enough is known. Its caller holds <see cref="LearnerContext.Changing"/>.</summary>
    /// <returns>Whether the champion stepped back: what it had learnt waits again.</returns>
    public async Task<bool> DecideAsync()
    {
        foreach (var version in learner.Book.All)
        {
            if (version.State == VersionState.Shadow) await DecideShadowAsync(version).ConfigureAwait(false);
            else if (version.State == VersionState.Canary) await DecideCanaryAsync(version).ConfigureAwait(false);
        }
        return await StepBackAsync().ConfigureAwait(false);
    }

    private async Task DecideShadowAsync(VersionInfo version)
    {
        (long Compared, long Agreed, int Worse, int Better) known;
        lock (_comparing) known = _shadow == version.Version ? (_compared, _agreed, _worse, _better) : default;
        if (known.Compared < _gate.ShadowPredictions)
        {
            await GiveUpAsync(version, $"compared on {known.Compared} of {_gate.ShadowPredictions} predictions").ConfigureAwait(false);
            return;
        }
        if (serving.LeaseChallenger(version.Version) is not { } model) return;
        try
        {
            var drop = new Drop(known.Worse, known.Better, (int)Math.Min(known.Compared, int.MaxValue));
            var seen = $"agreed on {known.Agreed} of {known.Compared} live predictions; of the others {known.Better} were found right and {known.Worse} wrong";
            if (drop.Exceeds(_gate.MaxAccuracyDrop)) await keeper.RefuseAsync(version, null, seen).ConfigureAwait(false);
            else await keeper.TryAsync(version, model, afterShadow: true, seen).ConfigureAwait(false);
        }
        finally
        {
            model.Release();
        }
    }

    private async Task DecideCanaryAsync(VersionInfo version)
    {
        var judged = _judged.GetValueOrDefault(version.Version);
        // Both answered side by side since then.
        var live = judged < _gate.CanarySamples ? [] : learner.Store.PerformanceSince(version.Version);
        if (live.FirstOrDefault(one => one.Version == version.Version) is not { } own || own.Labelled < _gate.CanarySamples)
        {
            await GiveUpAsync(version, $"{judged} of {_gate.CanarySamples} predictions judged").ConfigureAwait(false);
            return;
        }
        if (serving.LeaseChallenger(version.Version) is not { } model) return;
        try
        {
            var champion = live.FirstOrDefault(one => one.Version == learner.Book.Champion?.Version);
            var seen = Text(own, champion);
            if (FallsBelow(own, champion)) await keeper.RefuseAsync(version, null, $"stepped back: {seen}").ConfigureAwait(false);
            else await keeper.PublishAsync(version, model, Service, seen).ConfigureAwait(false);
        }
        finally
        {
            model.Release();
        }
    }

    // While a version is tried nothing is learnt, so that has an end.
    private async Task GiveUpAsync(VersionInfo version, string known)
    {
        if (learner.Clock.GetUtcNow() - version.Created > TimeSpan.FromHours(_gate.TrialHours))
            await keeper.RefuseAsync(version, null, string.Create(
                CultureInfo.InvariantCulture, $"only {known} within {_gate.TrialHours:0.##} hours")).ConfigureAwait(false);
    }

    private async Task<bool> StepBackAsync()
    {
        if (_gate.StepBackDrop >= 1 || learner.Book.Champion is not { Parent: { } number, PublishedBy: Service, Published: { } since } champion
            || learner.Book.Find(number) is not { } parent || champion.Trigger == "unlearn" || !learner.Folders.Has(number)) return false;
        if (_watched.Version != champion.Version) _watched = (champion.Version, 0);
        if (_watched.Looks == MostLooks) return false;
        var wanted = _gate.CanarySamples << _watched.Looks;
        if (_judged.GetValueOrDefault(champion.Version) < wanted) return false;
        var judged = learner.Store.ReadJudgedInputs(champion.Version, since, wanted);
        if (judged.Count < wanted) return false;
        _watched.Looks++;
        ServedModel model;
        try
        {
            model = keeper.Load(parent.Version);
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException)
        {
            return false; // there is nothing to step back to
        }
        var worse = judged.Count(one => one.Label is not null) * 2 >= judged.Count ? OnSameInputs(judged, model) : OverTime(judged, champion, parent);
        if (worse is null)
        {
            model.Release();
            return false;
        }
        var reason = $"stepped back from version {champion.Version}: {worse}";
        await keeper.PublishAsync(parent, model, Service, reason, "version.rollback").ConfigureAwait(false);
        await learner.Book.WriteAsync(learner.Book.Get(champion.Version) with { State = VersionState.Refused, Reason = reason }).ConfigureAwait(false);
        return true;
    }

    // What the version before says of the same inputs; null where it is not better.
    private string? OnSameInputs(IReadOnlyList<JudgedInput> judged, ServedModel parent)
    {
        JudgedInput[] labelled = [.. judged.Where(one => one.Label is not null)];
        var scored = parent.Score([.. labelled.Select(one => new LabelledSample(0, one.Input, one.Label!))]);
        var before = labelled.Select((_, i) => scored.Truth[i] >= 0 && scored.Best(i) == scored.Truth[i]).ToArray();
        var drop = new Drop(
            labelled.Where((one, i) => before[i] && !one.Right).Count(), labelled.Where((one, i) => !before[i] && one.Right).Count(), labelled.Length);
        return drop.Exceeds(_gate.StepBackDrop)
            ? $"{labelled.Count(one => one.Right)} of {labelled.Length} live predictions right, version {parent.Version} {before.Count(right => right)} of the same" : null;
    }

    private string? OverTime(IReadOnlyList<JudgedInput> judged, VersionInfo champion, VersionInfo parent)
    {
        var own = new LivePerformance(champion.Version, judged.Count, (double)judged.Count(one => one.Right) / judged.Count);
        var before = learner.Store.LastPerformance(parent.Version, judged.Count);
        return before is not null && before.Labelled >= _gate.CanarySamples && FallsBelow(own, before) ? Text(own, before) : null;
    }

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
