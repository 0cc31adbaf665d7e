using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Persistence;

namespace Engram.Evaluation;

/// <summary>
/// Where an <see cref="Experiment"/> keeps its place on disk: killed at any moment, the next start goes on to the results of
/// a run that was never stopped, bit by bit at an equal number of threads.
/// </summary>
/// <remarks>
/// The folder holds one file for each strategy that ended and one bundle, <c>current</c>, of the strategy at work, whose
/// manifest carries what was measured: learner and measurements commit together. One process at a time.
/// </remarks>
public sealed class ExperimentCheckpoints : IDisposable
{
    /// <summary>How often a place inside an experience is saved, unless asked otherwise.</summary>
    public static readonly TimeSpan DefaultEvery = TimeSpan.FromSeconds(30);

    // After an experience the place is saved too, unless saving would take more than this share of the time.
    private const double MostOfTheTime = 0.05;

    private const string SittingsFile = "sittings.json";
    private const string StartsAgain = "its strategy starts again";

    // EWOULDBLOCK of Linux and of macOS; ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
    private static readonly int[] s_inUse = [11, 35, unchecked((int)0x80070020), unchecked((int)0x80070021)];

    private readonly string _folder;
    private readonly TimeSpan _every;
    private readonly TimeProvider _clock;
    private readonly FileStream _lock;
    private readonly long _opened;
    private readonly Sittings _before;
    private long _saved;
    private TimeSpan _saving;

    /// <summary>Opens the folder, or creates it.</summary>
    /// <param name="folder">Where to; for this experiment alone.</param>
    /// <param name="every">How often a place inside an experience is saved; null for <see cref="DefaultEvery"/>.</param>
    /// <param name="clock">Time; null for the system's.</param>
    /// <exception cref="IOException">The folder cannot be written to, or another process is at work on it.</exception>
    /// <exception cref="DamagedCheckpointException">The file of the times is damaged.</exception>
    public ExperimentCheckpoints(string folder, TimeSpan? every = null, TimeProvider? clock = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (_folder, _every, _clock) = (Path.GetFullPath(folder), every ?? DefaultEvery, clock ?? TimeProvider.System);
        AtomicFile.CreateFolder(_folder);
        _lock = Lock();
        _opened = _saved = _clock.GetTimestamp();
        try
        {
            AtomicFile.Sweep(_folder);
            _before = Read<Sittings>(SittingsFile, "the time is counted from now", times => ResultsJson.CheckSeconds("seconds", times.Seconds)) ?? new Sittings(_clock.GetLocalNow(), 0);
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    /// <summary>When the run first began.</summary>
    public DateTimeOffset Started => _before.Started;

    /// <summary>Time of all sittings, as far as it was saved, and of this one.</summary>
    public double Seconds => _before.Seconds + _clock.GetElapsedTime(_opened).TotalSeconds;

    /// <summary>Why the last save failed, or null; the run goes on without, for a full disk may be empty again later.</summary>
    public Exception? Problem { get; private set; }

    /// <summary>Names of the strategies that came to their end.</summary>
    public IReadOnlyList<string> Finished =>
        [.. Directory.EnumerateFiles(_folder, "*.result.json").Select(path => Path.GetFileName(path)[..^".result.json".Length])
            .Order(StringComparer.Ordinal)];

    /// <summary>Lets a strategy run again that had come to its end.</summary>
    /// <param name="strategy">Its name.</param>
    public void Forget(string strategy) => File.Delete(Path.Combine(_folder, $"{strategy}.result.json"));

    /// <summary>Removes the folder: the run is complete, and its results are somewhere else.</summary>
    public void Clear()
    {
        _lock.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    /// <summary>What the strategy came to, where it came to its end; null else.</summary>
    /// <exception cref="DamagedCheckpointException">The file is damaged.</exception>
    internal StrategyResult? ResultOf(string strategy) => Read<StrategyResult>(
        $"{strategy}.result.json", "its strategy and the one in progress start again", result => result.Check("result"));

    /// <summary>What the strategy had measured when its learner was saved, and whether that was inside an experience; null for neither.</summary>
    /// <exception cref="DamagedCheckpointException">The bundle is damaged.</exception>
    internal (StrategyMeasurements Measured, bool Inside)? SavedOf(string strategy) =>
        File.Exists(Path.Combine(Current, BundleFolder.ManifestName)) ? OfCurrent(() => MeasuredOf(strategy)) : null;

    /// <summary>Brings a new learner to where the strategy was.</summary>
    /// <exception cref="DamagedCheckpointException">The bundle is damaged, or of a learner with other options.</exception>
    internal void Restore(Learner learner) => OfCurrent(() =>
    {
        Bundle.Restore(learner, Current);
        return true;
    });

    internal void SaveIfDue(string strategy, Learner learner, StrategyMeasurements measurements)
    {
        if (_clock.GetElapsedTime(_saved) >= _every) Save(strategy, learner, measurements);
    }

    internal void SaveAfterExperience(string strategy, Learner learner, StrategyMeasurements measurements)
    {
        if (_clock.GetElapsedTime(_saved) >= _saving / MostOfTheTime) Save(strategy, learner, measurements);
    }

    internal void Save(string strategy, Learner learner, StrategyMeasurements measurements) => Try(() =>
    {
        var began = _clock.GetTimestamp();
        Bundle.Save(learner, Current, new BundleInfo
        {
            Settings = new JsonObject
            {
                ["strategy"] = strategy,
                ["measurements"] = JsonSerializer.SerializeToNode(measurements.Save(), ResultsJson.Options),
            },
        });
        Write(SittingsFile, new Sittings(Started, Seconds));
        _saved = _clock.GetTimestamp();
        _saving = _clock.GetElapsedTime(began);
    });

    internal void Finish(StrategyResult result) => Try(() =>
    {
        Write(SittingsFile, new Sittings(Started, Seconds));
        Write($"{result.Name}.result.json", result);
    });

    private string Current => Path.Combine(_folder, "current");

    private (StrategyMeasurements Measured, bool Inside)? MeasuredOf(string strategy)
    {
        var manifest = Bundle.ReadManifest(Current);
        var saved = manifest.Lineage.Settings;
        // Of the strategy before, which has ended since.
        if ((string?)saved["strategy"] != strategy) return null;
        var measured = ResultsJson.Read<SavedMeasurements>(saved["measurements"]?.ToJsonString() ?? "null", "measurements", isPart: true);
        return (new StrategyMeasurements(measured), manifest.Learner.Cursor is not null);
    }

    // Messages about bundles begin with the path.
    private T OfCurrent<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception problem) when (problem is InvalidDataException or FileNotFoundException)
        {
            throw new DamagedCheckpointException($"{problem.Message}; without the folder {Current}, {StartsAgain}", problem);
        }
        catch (FormatException problem)
        {
            throw Damaged(Current, problem, $"without the folder, {StartsAgain}");
        }
    }

    private FileStream Lock()
    {
        try
        {
            return new FileStream(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            var what = s_inUse.Contains(problem.HResult) ? "another process is at work on it" : "cannot be written to";
            throw new IOException($"{_folder}: {what} ({problem.Message})", problem);
        }
    }

    private void Try(Action save)
    {
        try
        {
            save();
            Problem = null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Problem = problem;
            _saved = _clock.GetTimestamp();
        }
    }

    private void Write<T>(string name, T value) =>
        AtomicFile.Write(Path.Combine(_folder, name), JsonSerializer.SerializeToUtf8Bytes(value, ResultsJson.Options));

    private T? Read<T>(string name, string without, Action<T>? check = null)
        where T : class
    {
        var path = Path.Combine(_folder, name);
        if (!File.Exists(path)) return null;
        try
        {
            var read = ResultsJson.Read<T>(File.ReadAllText(path), "checkpoint");
            check?.Invoke(read);
            return read;
        }
        catch (FormatException problem)
        {
            throw Damaged(path, problem, $"without the file, {without}");
        }
    }

    private static DamagedCheckpointException Damaged(string path, FormatException problem, string without) =>
        new($"{path}: damaged ({problem.Message}); {without}", problem);

    private sealed record Sittings(DateTimeOffset Started, double Seconds);
}
