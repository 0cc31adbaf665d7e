using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Client;
using Engram.Learning;
using Engram.Persistence;
using Engram.Server.Gating;
using Engram.Server.Inputs;
using Engram.Server.Serving;
using Engram.Server.Store;
using Engram.Server.Versions;

namespace Engram.Server.Training;

/// <summary>A version that was made and examined, on disk and in memory.</summary>
/// <param name="Info">What is known of it; its state is not decided yet.</param>
/// <param name="Model">Ready to answer; the holder of the candidate holds its lease.</param>
internal sealed record Candidate(VersionInfo Info, ServedModel Model)
{
    /// <summary>Whether every check of the gate held.</summary>
    public bool Passed => Info.Checks.All(check => check.Passed);
}

/// <summary>Makes candidates, on the trainer's thread: learns, saves, loads what will serve, examines it, and puts it into its place.</summary>
internal sealed class CandidateMaker(LearnerContext learner, Func<ServedModel?> leaseChampion)
{
    private const string Import = "import";
    private readonly LearnerSpecification _specification = learner.Specification;

    /// <summary>Makes a candidate.</summary>
    /// <param name="lesson">What to learn.</param>
    /// <param name="trigger">Why.</param>
    /// <param name="progress">Told how far it is, 0 to 1, and whether it examines.</param>
    /// <param name="cancellationToken">Ends it; nothing is left behind.</param>
    /// <returns>The candidate; null where nothing is left to know.</returns>
    public Candidate? Make(Lesson lesson, string trigger, Action<double, bool> progress, CancellationToken cancellationToken)
    {
        var started = learner.Clock.GetTimestamp();
        var parent = learner.Book.Champion;
        if (lesson.MustBeginAnew || (lesson.Revoked.Count > 0 && !CanUnlearn)) lesson = lesson.Anew(learner.Store, Root(parent));
        if (LeavesNothing(lesson)) return null;
        var pace = new Pace(_specification.Learning.CpuShare, learner.Clock, cancellationToken);
        var number = learner.Book.Next(learner.Folders.Present);
        var making = learner.Folders.Begin(number);
        try
        {
            var before = lesson.From is { } from ? VersionFile.Read(learner.Folders.PathOf(from.Version)) : null;
            var encoder = before is not null ? learner.Encoder.With(before.Measured) : learner.Encoder;
            if (lesson.From is null && encoder.Measures) encoder = encoder.Measure([.. lesson.Samples.Select(sample => sample.Input)]);
            var (labels, stored) = Learn(lesson, encoder, making, pace, progress, cancellationToken);
            progress(1, true);
            return Examined(number, making, encoder, pace, new VersionInfo
            {
                Version = number,
                State = VersionState.Observed,
                Parent = parent?.Version,
                Created = learner.Clock.GetUtcNow(),
                Cursor = lesson.Cursor,
                Samples = lesson.Samples.Count,
                Labels = labels,
                Trigger = trigger,
            }, lesson.Unlearnt, started, heldOut => Content(lesson, before, labels, stored, heldOut));
        }
        catch
        {
            VersionFolders.Abandon(making);
            throw;
        }
    }

    /// <summary>Examines a bundle that came from elsewhere, and puts it into its place.</summary>
    /// <param name="making">Where it lies.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Candidate TakeIn(string making, CancellationToken cancellationToken)
    {
        var number = learner.Book.Next(learner.Folders.Present);
        var started = learner.Clock.GetTimestamp();
        var file = VersionFile.Read(making);
        var own = file?.Learner == learner.Identity;
        if (own && learner.Store.CountDeleted(new VersionPlace(file!.Cursor, file.Unlearnt)).Samples > 0)
            throw new ConflictException("bundle", "bundle: it holds what was deleted since it was exported, expected one without");
        var encoder = learner.Encoder.With(file?.Measured);
        IReadOnlyList<string> labels;
        using (var model = learner.Recipe.Resume(making)) labels = model.Labels;
        var pace = new Pace(_specification.Learning.CpuShare, learner.Clock, cancellationToken);
        return Examined(number, making, encoder, pace, new VersionInfo
        {
            Version = number,
            State = VersionState.Observed,
            Created = learner.Clock.GetUtcNow(),
            Cursor = own ? file!.Cursor : 0,
            Labels = labels,
            Trigger = Import,
        }, own ? file!.Unlearnt : 0, started, _ => file?.Classes ?? [.. labels.Select(label => new ClassContent(label, 0, 0, 0))]);
    }

    /// <summary>Loads a version to answer.</summary>
    /// <exception cref="InvalidDataException">Its files are damaged.</exception>
    public ServedModel Load(int version)
    {
        var folder = learner.Folders.PathOf(version);
        var file = VersionFile.Read(folder) ?? throw new InvalidDataException($"{folder}: no {VersionFile.FileName}, expected one");
        return Load(version, folder, learner.Encoder.With(file.Measured), file.Calibration);
    }

    private ServedModel Load(int version, string folder, InputEncoder encoder, Calibration calibration) => new(
        version, Predictor.Load(folder, learner.Recipe.IsClosedForm, () => learner.Recipe.Resume(folder).Learner), encoder, calibration);

    // What was measured on the first samples, or taken from their images, cannot be subtracted again.
    private bool CanUnlearn => learner.Recipe is { IsClosedForm: true, KeepsFirstSamples: false } && !learner.Encoder.Measures;

    private bool LeavesNothing(Lesson lesson) => lesson.Samples.Count == 0 && (lesson.From is null || (lesson.Revoked.Count > 0
        && VersionFile.Read(learner.Folders.PathOf(lesson.From.Version))?.Classes.Sum(known => known.Samples) == lesson.Revoked.Count));

    private VersionInfo? Root(VersionInfo? version)
    {
        while (version?.Parent is { } parent) version = learner.Book.Find(parent);
        return version is { Trigger: Import, Cursor: 0 } && learner.Folders.Has(version.Version) ? version : null;
    }

    private (IReadOnlyList<string> Labels, IReadOnlyDictionary<string, int> Stored) Learn(
        Lesson lesson, InputEncoder encoder, string making, Pace pace, Action<double, bool> progress, CancellationToken cancellationToken)
    {
        var parent = lesson.From is { } from ? learner.Folders.PathOf(from.Version) : null;
        TrainedModel? model = parent is null ? null : learner.Recipe.Resume(parent, Math.Min(lesson.Samples.Count, _specification.Learning.MaxSamples));
        try
        {
            if (lesson.Revoked.Count > 0)
            {
                using var revoked = new PackedSource(lesson.Revoked, encoder, often: false);
                model!.Unlearn(revoked);
            }
            var done = 0;
            foreach (var part in lesson.Samples.Chunk(_specification.Learning.MaxSamples))
            {
                using var samples = new PackedSource(part, encoder, often: !learner.Recipe.IsClosedForm);
                model ??= learner.Recipe.Begin(samples);
                var (first, share) = ((double)done / lesson.Samples.Count, (double)part.Length / lesson.Samples.Count);
                model.Learn(samples, pace.Step, new Reports(report =>
                    progress(first + (share * report.Step / Math.Max(1, report.Steps)), false)), cancellationToken);
                done += part.Length;
            }
            model!.Save(making, new BundleInfo
            {
                Parent = parent,
                Data = lesson.Range,
                Saved = learner.Clock.GetUtcNow(),
                Settings = (JsonObject)JsonSerializer.SerializeToNode(_specification, EngramJson.Default.LearnerSpecification)!,
            });
            return (model.Labels, model.Stored);
        }
        finally
        {
            model?.Dispose();
        }
    }

    private Candidate Examined(
        int number, string making, InputEncoder encoder, Pace pace, VersionInfo info, long unlearnt, long started,
        Func<IReadOnlyList<LabelledSample>, IReadOnlyList<ClassContent>> content)
    {
        var model = Load(number, making, encoder, Calibration.None);
        var champion = leaseChampion();
        try
        {
            model.Try();
            var heldOut = HeldOut.Read(learner.Store, learner.Store.LastSequence);
            var seen = new Examination(model, champion, heldOut, learner.Store.ReadExamples(), learner.Clock, pace.Step);
            new VersionFile
            {
                Learner = learner.Identity,
                Version = number,
                Parent = info.Parent,
                Cursor = info.Cursor,
                Unlearnt = unlearnt,
                Created = info.Created,
                Measured = (JsonObject?)encoder.Measured?.DeepClone(),
                Calibration = model.Calibration,
                Classes = content(heldOut),
            }.Write(making);
            if (info.Trigger != Import) Bundle.AddMeasurements(making, Metrics(seen), History(info, seen));
            learner.Folders.Finish(making, number);
            return new Candidate(info with
            {
                Seconds = learner.Clock.GetElapsedTime(started).TotalSeconds,
                Bytes = VersionFolders.BytesOf(learner.Folders.PathOf(number)),
                Accuracy = seen.Accuracy,
                ClassAccuracy = seen.ClassAccuracy,
                CalibrationError = seen.CalibrationError,
                Checks = Gate.Judge(_specification.Gate, seen),
            }, model);
        }
        catch
        {
            model.Release();
            throw;
        }
        finally
        {
            champion?.Release();
        }
    }

    private static Dictionary<string, double> Metrics(Examination seen)
    {
        var metrics = new Dictionary<string, double>();
        if (seen.Accuracy is { } accuracy) metrics["accuracy"] = accuracy;
        if (seen.CalibrationError is { } error) metrics["calibrationError"] = error;
        return metrics;
    }

    // When each label came, with what the first version that knew it made of it.
    private List<LearntPart> History(VersionInfo version, Examination seen)
    {
        var first = version.Labels.ToDictionary(label => label, _ => (version.Created, Accuracy: seen.ClassAccuracy), StringComparer.Ordinal);
        for (var before = version.Parent; before is { } number && learner.Book.Find(number) is { } ancestor; before = ancestor.Parent)
            foreach (var label in ancestor.Labels.Where(first.ContainsKey)) first[label] = (ancestor.Created, ancestor.ClassAccuracy);
        return [.. first.Select(pair => new LearntPart(pair.Key, pair.Value.Created, Of(pair.Value.Accuracy, pair.Key), Of(seen.ClassAccuracy, pair.Key)))];

        static double? Of(IReadOnlyDictionary<string, double> accuracy, string label) => accuracy.TryGetValue(label, out var known) ? known : null;
    }

    private static ClassContent[] Content(
        Lesson lesson, VersionFile? before, IReadOnlyList<string> labels, IReadOnlyDictionary<string, int> stored, IReadOnlyList<LabelledSample> heldOut)
    {
        var counts = labels.ToDictionary(label => label, _ => 0L, StringComparer.Ordinal);
        foreach (var known in before?.Classes ?? []) counts[known.Label] = known.Samples;
        foreach (var sample in lesson.Samples) counts[sample.Label]++;
        foreach (var sample in lesson.Revoked) counts[sample.Label]--;
        var held = heldOut.CountBy(sample => sample.Label, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        return [.. labels.Select(label => new ClassContent(label, counts[label], stored.GetValueOrDefault(label), held.GetValueOrDefault(label)))];
    }

    // Progress<T> would report on another thread, later.
    private sealed class Reports(Action<LearningProgress> tell) : IProgress<LearningProgress>
    {
        public void Report(LearningProgress value) => tell(value);
    }
}
