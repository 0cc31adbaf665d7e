using System.Text.Json;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Retention;
using Engram.Tests.Persistence;

namespace Engram.Tests.Evaluation;

/// <summary>Stops small experiments wherever they report, and holds what they come to against never having stopped.</summary>
public class CheckpointTests
{
    private static readonly Strategy[] s_strategies = [Strategies.Named("ewc+replay"), Strategies.Named("joint")];

    [Fact]
    public void Stopping_at_every_report_and_going_on_comes_to_the_results_of_an_uninterrupted_run()
    {
        using var folder = new TemporaryFolder();
        var reports = new Reports();
        var expected = Record(Run(reports, null));

        var sittings = 0;
        IReadOnlyList<StrategyResult> results = [];
        while (results.Count < s_strategies.Length)
        {
            using var stop = new CancellationTokenSource();
            using var checkpoints = new ExperimentCheckpoints(folder["run"]);
            results = Run(new Reports(after: 2, stop), checkpoints, stop.Token);
            Assert.True(++sittings < reports.Seen.Count + 5, "the run goes on");
        }

        Assert.True(sittings > 10, $"{sittings} sittings");
        Assert.Equal(expected, Record(results));
    }

    [Theory]
    [InlineData(1, 2, "training", 1, 2)] // after the first step
    [InlineData(1, 3, "consolidating", 1, 3)] // after the last step
    [InlineData(2, 1, "training", 1, 3)] // when the head was smaller
    public void A_killed_run_goes_on_where_it_was_saved(int phase, int step, string activity, int at, int first)
    {
        using var folder = new TemporaryFolder();
        var expected = Record(Run(null, null));
        using (var checkpoints = new ExperimentCheckpoints(folder["run"], TimeSpan.Zero, new LearnerCases.SlowClock()))
        {
            // Thrown from a report, nothing is saved on the way out: as if the process had been killed.
            var kill = new Reports(kill: progress =>
                progress.Phase == phase && progress.Learning is { } learning && learning.Step == step && learning.Activity == activity);
            Assert.Throws<InvalidOperationException>(() => Run(kill, checkpoints));
        }
        using var again = new ExperimentCheckpoints(folder["run"]);
        var reports = new Reports();
        var results = Run(reports, again);

        Assert.Equal(expected, Record(results));
        Assert.Equal((ExperimentEvent.StrategyStarted, at), (reports.Seen[0].Event, reports.Seen[0].Phase));
        Assert.Equal(first, reports.Seen.First(progress => progress.Learning is not null).Learning!.Step);
    }

    [Fact]
    public void Long_streams_are_measured_where_they_ask_for_it()
    {
        var stream = LearnerCases.Digits.Online(batchSize: 10, seed: 0);
        var results = new Experiment(stream, _ => LearnerCases.Model(), LearnerCases.Options)
            .Run([Strategies.Named("naive")], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(6 + 4 + 3, stream.Experiences.Count); // 60, 36 and 24 samples in tens
        Assert.Equal([1, 2, 3], results[0].Accuracy.Select(row => row.Length));
        Assert.Equal([60L, 36, 24], results[0].Costs.Select(cost => cost.Samples));
    }

    [Fact]
    public void Strategies_that_ended_are_told_of_and_not_run_again_unless_forgotten()
    {
        using var folder = new TemporaryFolder();
        using (var checkpoints = new ExperimentCheckpoints(folder["run"])) Run(null, checkpoints);
        using var again = new ExperimentCheckpoints(folder["run"]);
        Assert.Equal(["ewc+replay", "joint"], again.Finished);
        again.Forget("joint");
        var reports = new Reports();

        Run(reports, again);

        Assert.Equal(ExperimentEvent.StrategyRestored, reports.Seen[0].Event);
        Assert.Equal("ewc+replay", reports.Seen[0].Result!.Name);
        Assert.All(reports.Seen.Skip(1), progress => Assert.Equal("joint", progress.Strategy.Name));
        Assert.Equal(reports.Seen.Select(progress => progress.Fraction).Order(), reports.Seen.Select(progress => progress.Fraction));
    }

    [Fact]
    public void Learning_stopped_and_gone_on_counts_samples_steps_and_loss_of_the_whole_experience()
    {
        var experience = LearnerCases.Digits.Experiences[0];
        var options = LearnerCases.Options with { Epochs = 2 };
        using var whole = LearnerCases.New("naive", options: options);
        var expected = whole.Learn(experience, cancellationToken: TestContext.Current.CancellationToken);

        using var stopped = LearnerCases.New("naive", options: options);
        LearnerCases.Interrupt(stopped, experience, 6);
        var result = stopped.Learn(experience, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(120, expected.Samples);
        Assert.Equal(expected with { Seconds = 0 }, result with { Seconds = 0 });
    }

    [Fact]
    public void A_folder_at_work_is_refused_and_free_again_afterwards()
    {
        using var folder = new TemporaryFolder();
        using (new ExperimentCheckpoints(folder["run"]))
            Assert.Contains("another process", Assert.Throws<IOException>(() => new ExperimentCheckpoints(folder["run"])).Message);
        using var free = new ExperimentCheckpoints(folder["run"]);
        free.Clear();
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Fact]
    public void A_place_that_cannot_be_saved_is_told_and_the_run_goes_on()
    {
        using var folder = new TemporaryFolder();
        using var checkpoints = new ExperimentCheckpoints(folder["run"]);
        File.WriteAllText(folder["run/current"], "in the way");

        var results = Run(null, checkpoints);

        Assert.Equal(2, results.Count);
        Assert.Null(checkpoints.Problem); // the last save, that of a result, was fine again
        using var stop = new CancellationTokenSource();
        checkpoints.Forget("ewc+replay");
        Run(new Reports(after: 3, stop), checkpoints, stop.Token);
        Assert.Contains("current", checkpoints.Problem!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(19.9, 1)]
    [InlineData(20.1, 2)]
    public void After_an_experience_the_place_is_saved_unless_saving_takes_more_than_a_twentieth_of_the_time(double seconds, int saves)
    {
        using var folder = new TemporaryFolder();
        var clock = new HandClock();
        using var checkpoints = new ExperimentCheckpoints(folder["run"], clock: clock);
        var slow = new SecondToSave(clock);
        using var learner = new Learner(LearnerCases.Model, LearnerCases.Options, [slow]);

        checkpoints.SaveAfterExperience("slow", learner, new StrategyMeasurements());
        clock.Pass(seconds);
        checkpoints.SaveAfterExperience("slow", learner, new StrategyMeasurements());

        Assert.Equal(saves, slow.Saves);
    }

    [Theory]
    [InlineData("joint.result.json", "{\"name\": 3}")]
    [InlineData("joint.result.json", "")]
    [InlineData("sittings.json", "[]")]
    public void A_damaged_file_is_named(string name, string content)
    {
        using var folder = new TemporaryFolder();
        using (new ExperimentCheckpoints(folder["run"])) File.WriteAllText(folder[$"run/{name}"], content);

        var refusal = Assert.Throws<DamagedCheckpointException>(() =>
        {
            using var checkpoints = new ExperimentCheckpoints(folder["run"]);
            Run(null, checkpoints);
        });

        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
        File.Delete(folder[$"run/{name}"]);
        using var again = new ExperimentCheckpoints(folder["run"]); // no process is at work on it any more
    }

    [Fact]
    public void What_a_killed_writer_left_is_swept_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["run"]);
        File.WriteAllText(folder["run/sittings.json.k3f9a0z1.x2y.tmp"], "");
        File.WriteAllText(folder["run/mine.tmp"], "");

        using var checkpoints = new ExperimentCheckpoints(folder["run"]);

        Assert.Equal(["lock", "mine.tmp"], Directory.GetFiles(folder["run"]).Select(Path.GetFileName).Order());
    }

    private static IReadOnlyList<StrategyResult> Run(
        IProgress<ExperimentProgress>? progress, ExperimentCheckpoints? checkpoints, CancellationToken stop = default) =>
        new Experiment(
            LearnerCases.Digits, _ => LearnerCases.Model(), LearnerCases.Options, new StrategyBudget(40), new LearnerCases.SlowClock())
            .Run(s_strategies, progress, null, checkpoints, stop);

    // Everything but the times.
    private static string Record(IReadOnlyList<StrategyResult> results) => JsonSerializer.Serialize(results.Select(result => result with
    {
        Costs = [.. result.Costs.Select(cost => cost with { TrainSeconds = 0, EvaluationSeconds = 0 })],
        Cost = result.Cost! with { TrainSeconds = 0, PredictSeconds = 0, PeakMemoryBytes = 0 },
    }));

    private sealed class Reports(
        int after = int.MaxValue, CancellationTokenSource? stop = null, Func<ExperimentProgress, bool>? kill = null)
        : IProgress<ExperimentProgress>
    {
        public List<ExperimentProgress> Seen { get; } = [];

        public void Report(ExperimentProgress value)
        {
            Seen.Add(value);
            // That a strategy starts or is there already is told at every sitting, and is no progress.
            if (Seen.Count(seen => seen.Event is not (ExperimentEvent.StrategyStarted or ExperimentEvent.StrategyRestored)) == after)
                stop!.Cancel();
            if (kill?.Invoke(value) == true) throw new InvalidOperationException("killed");
        }
    }

    private sealed class HandClock : TimeProvider
    {
        private long _now;

        public void Pass(double seconds) => _now += (long)(seconds * TimestampFrequency);

        public override long GetTimestamp() => _now;
    }

    private sealed class SecondToSave(HandClock clock) : RetentionMechanism
    {
        public int Saves { get; private set; }

        public override string Name => "slow";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        protected internal override void Save(MechanismState state)
        {
            Saves++;
            clock.Pass(1);
        }
    }
}
