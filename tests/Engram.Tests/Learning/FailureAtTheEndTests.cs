using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Persistence;

namespace Engram.Tests.Learning;

/// <summary>An exception after the last step, where mechanisms take the experience in: going on must do none of it twice.</summary>
public class FailureAtTheEndTests
{
    public static TheoryData<string> Strategies =>
    [
        "ewc", "online-ewc", "si", "mas", "rwalk", "gem", "a-gem", "replay", "replay-herding", "wa", "cwr", "packnet", "lwf", "icarl",
        "bic", "il2m", "gdumb", "joint", "cumulative", "decoupled-head+replay", "compressed-replay", "knn", "dgr",
    ];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void Mechanisms_that_have_ended_an_experience_do_not_end_it_again(string strategy)
    {
        var (model, options, stream) = LearnerCases.For(strategy);
        Learner New(bool fails) => new(
            model, options, [.. LearnerCases.Mechanisms(strategy), new Failing(fails)], new LearnerCases.SlowClock());
        using var whole = New(fails: false);
        foreach (var experience in stream) whole.Teach(experience);

        using var folder = new TemporaryFolder();
        using (var first = New(fails: true))
        {
            first.Teach(stream[0]);
            Assert.Throws<IOException>(() => first.Teach(stream[1]));
            Bundle.Save(first, folder["bundle"]);
            // Who chose the data ends last, all others did.
            Assert.Equal(first.Mechanisms.Count(m => !m.Seams.HasFlag(Seams.TrainingData)) - 1, first.Cursor!.Ended);
            first.Teach(stream[1]);
            first.Teach(stream[2]);
            Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(first));
        }
        using var second = New(fails: false);
        Bundle.Restore(second, folder["bundle"]);
        second.Teach(stream[1]);
        second.Teach(stream[2]);
        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(second));
    }

    [Fact]
    public void The_weights_with_the_lowest_validation_loss_come_back_once_and_what_mechanisms_made_of_them_stays()
    {
        var options = LearnerCases.Options with { Epochs = 4, EarlyStopping = new EarlyStopping { Patience = 1 } };
        Learner Learnt(bool fails)
        {
            var learner = new Learner(
                LearnerCases.Model, options, [.. LearnerCases.Mechanisms("wa"), new Failing(fails)], new LearnerCases.SlowClock());
            foreach (var (index, train) in LearnerCases.Digits.Experiences.Take(2).Select(e => (e.Index, e.Train)))
            {
                var experience = new Experience(index, train, validation: train);
                if (fails && index == 1) Assert.Throws<IOException>(() => learner.Teach(experience));
                learner.Teach(experience);
            }
            return learner;
        }
        using var whole = Learnt(fails: false);
        using var retried = Learnt(fails: true);
        Assert.NotEqual(1, retried.Mechanisms.OfType<WeightAligning>().Single().Gamma);
        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(retried));
    }

    [Theory]
    [InlineData("ewc")]
    [InlineData("mas")]
    [InlineData("replay")]
    [InlineData("replay-herding")]
    [InlineData("a-gem")]
    [InlineData("gem")]
    [InlineData("compressed-replay")]
    [InlineData("decoupled-head+replay")]
    [InlineData("icarl")]
    [InlineData("bic")]
    [InlineData("il2m")]
    [InlineData("ncm")]
    public void Samples_that_cannot_be_read_at_the_end_are_taken_in_once_when_they_can(string strategy)
    {
        var (model, options, _) = LearnerCases.For(strategy);
        // More than one block for every mechanism that reads in blocks.
        var digits = SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(0, 2)), 520);
        Experience[] stream = [new(0, LearnerCases.Digits.Experiences[1].Train), new(1, digits)];
        if (strategy == "ncm") stream = [new(0, digits)]; // the first is the one that it sums at its end
        using var whole = LearnerCases.New(strategy, model, options);
        using var learner = LearnerCases.New(strategy, model, options);
        foreach (var experience in stream) whole.Teach(experience);
        foreach (var experience in stream[..^1]) learner.Teach(experience);
        using var folder = new TemporaryFolder();
        var failing = new FailingSource(digits);
        var last = new Experience(stream[^1].Index, failing);
        // Each attempt comes one read further.
        var attempts = 0;
        while (attempts < 100 && FailsAfter(learner, last, failing, reads: attempts))
            if (attempts++ == 0) Bundle.Save(learner, folder["bundle"]);
        Assert.True(attempts > 0, "was never read after the last step");
        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(learner));
        using var second = LearnerCases.Load(folder["bundle"], strategy, model, options);
        failing.Left = null;
        second.Teach(last);
        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(second));
    }

    [Fact]
    public void A_head_that_was_retrained_stays_so_with_early_stopping_though_samples_could_not_be_read_after_it()
    {
        var options = LearnerCases.Options with { EarlyStopping = new EarlyStopping() };
        Learner New() => new(LearnerCases.Model, options, [new DecoupledHead()], new LearnerCases.SlowClock());
        var train = LearnerCases.Digits.Experiences[0].Train;
        using var whole = New();
        whole.Teach(new Experience(0, train, validation: train));

        using var learner = New();
        var failing = new FailingSource(train);
        var experience = new Experience(0, failing, validation: train);
        Assert.True(FailsAfter(learner, experience, failing, reads: 1)); // read to retrain from, not to be kept
        using var folder = new TemporaryFolder();
        Bundle.Save(learner, folder["bundle"]);
        failing.Left = null;
        learner.Teach(experience);
        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(learner));
        using var second = New();
        Bundle.Restore(second, folder["bundle"]);
        second.Teach(experience);
        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(second));
    }

    [Fact]
    public void Neighbours_that_cannot_be_read_at_the_end_are_kept_once_when_they_can()
    {
        var neighbours = new NearestNeighbours(new NeighbourOptions { Capacity = 40 });
        using var learner = new Learner(() => new ContinualModel(new RawInputs(784)), null, [neighbours], new LearnerCases.SlowClock());
        learner.Teach(new Experience(0, SubsetSource.WithLabels(LearnerCases.Digits.Experiences[0].Train, ["0", "1"])));
        var failing = new FailingSource(SubsetSource.WithLabels(LearnerCases.Digits.Experiences[0].Train, ["2", "3"]));
        Assert.True(FailsAfter(learner, new Experience(1, failing), failing, reads: 1));
        failing.Left = null;
        learner.Teach(new Experience(1, failing));
        var state = new MechanismState();
        neighbours.Save(state);
        var rows = state.Tensors["vectors"].data<float>().ToArray().Chunk(784).Select(row => string.Join(' ', row));
        Assert.Equal(40, rows.Distinct().Count());
        Assert.All(Enumerable.Range(0, 4), id => Assert.Equal(10, neighbours.Index!.SlotsOf(id).Length));
    }

    // Whether reading the source failed after the last step and so many more reads.
    private static bool FailsAfter(Learner learner, Experience experience, FailingSource source, int reads)
    {
        source.Left = null; // before the last step reading does not fail
        try
        {
            learner.Learn(experience, new AtTheEnd(() => source.Left = reads), TestContext.Current.CancellationToken);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private sealed class AtTheEnd(Action act) : IProgress<LearningProgress>
    {
        public void Report(LearningProgress value)
        {
            if (value.Activity == "consolidating") act();
        }
    }

    private sealed class FailingSource(ISampleSource inner) : ISampleSource
    {
        /// <summary>Reads that succeed before one fails; null for all.</summary>
        public int? Left { get; set; }

        public int Count => inner.Count;
        public IReadOnlyList<long> InputShape => inner.InputShape;
        public TorchSharp.torch.ScalarType InputType => inner.InputType;
        public TargetKind TargetKind => inner.TargetKind;
        public IReadOnlyList<Label> Labels => inner.Labels;
        public ReadOnlyMemory<int> Codes => inner.Codes;

        public Batch Gather(ReadOnlySpan<long> indices) =>
            Left is { } left && (Left = left - 1) < 0 ? throw new IOException("the disk is away") : inner.Gather(indices);
    }

    // Fails once, at the end of experience 1.
    private sealed class Failing(bool fails) : RetentionMechanism
    {
        private bool _fails = fails;

        public override string Name => "failing";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        protected internal override void EndExperience(LearningContext context)
        {
            if (!_fails || context.Experience.Index != 1) return;
            _fails = false;
            throw new IOException("the disk is away");
        }
    }
}
