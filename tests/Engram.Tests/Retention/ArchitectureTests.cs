using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class ArchitectureTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 200);
    private static readonly EvaluationSet s_test = TestData.Mnist.Test.Balanced(40);
    private static readonly ExperienceStream s_tasks =
        ExperienceStream.TaskIncremental(s_train, s_test, ClassGroups.Split(Label.Numbers(0, 10), 5));

    private static readonly Dictionary<string, Func<RetentionMechanism>> s_create = new()
    {
        ["xdg"] = () => new ContextDependentGating(),
        ["packnet"] = () => new PackNet(),
        ["progressive"] = () => new ProgressiveNetworks(),
        ["cwr"] = () => new CopyWeightsReinit(),
    };

    private static LearnerOptions Options(string name) => new()
    {
        Scenario = name == "cwr" ? Scenario.ClassIncremental : Scenario.TaskIncremental,
        Epochs = name == "cwr" ? 3 : 10,
        BatchSize = 20,
        Optimizer = new AdamOptions { WeightDecay = 1e-4 },
    };

    private static Learner Build(string name, params RetentionMechanism[] mechanisms) => new(
        () => new ContinualModel(name == "progressive" ? new ProgressiveMlp(784, 50, 50) : new Mlp(784, 100, 100)),
        Options(name), mechanisms);

    private static byte[] Scores(Learner learner, int task, int classes)
    {
        using var scope = NewDisposeScope();
        return learner.Scores(s_tasks.Tests[task].Inputs([.. Enumerable.Range(0, 50).Select(i => (long)i)]), task)
            .narrow(1, 0, classes).contiguous().bytes.ToArray();
    }

    [Theory]
    [InlineData("packnet")]
    [InlineData("progressive")]
    public void Old_tasks_are_predicted_bit_by_bit_as_before(string name)
    {
        using var learner = Build(name, s_create[name]());
        var kept = new List<byte[]>();
        foreach (var experience in s_tasks.Experiences)
        {
            learner.Teach(experience);
            kept.Add(Scores(learner, experience.Index, 2 * (experience.Index + 1)));
        }
        for (var task = 0; task < 5; task++) Assert.Equal(kept[task], Scores(learner, task, 2 * (task + 1)));
        Assert.All(s_tasks.Tests, test => Assert.InRange(Evaluator.Accuracy(learner, test), 0.85, 1));
    }

    [Fact]
    public void Less_is_forgotten_than_by_naive_learning()
    {
        double Forgetting(string name, params RetentionMechanism[] mechanisms)
        {
            using var learner = Build(name, mechanisms);
            var matrix = new AccuracyMatrix();
            foreach (var experience in s_tasks.Experiences)
            {
                learner.Teach(experience);
                matrix.Add([.. s_tasks.Tests.Take(experience.Index + 1).Select(test => Evaluator.Accuracy(learner, test))]);
            }
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{name}: forgetting {matrix.Forgetting:f4}, accuracy {matrix.FinalAverageAccuracy:f4}");
            return matrix.Forgetting;
        }
        var naive = Forgetting("naive");
        foreach (var name in new[] { "xdg", "packnet", "progressive" }) Assert.InRange(Forgetting(name, s_create[name]()), -1, naive - 0.005);
    }

    [Theory]
    [InlineData("xdg")]
    [InlineData("packnet")]
    [InlineData("progressive")]
    [InlineData("cwr")]
    public void Saving_and_loading_between_and_inside_experiences_changes_nothing(string name)
    {
        byte[] Run(bool reload)
        {
            var mechanism = new Handover(s_create[name]);
            using var learner = Build(name, mechanism);
            using var scope = NewDisposeScope();
            foreach (var experience in s_tasks.Experiences.Take(3))
            {
                using var stop = new CancellationTokenSource();
                mechanism.StepDone = number => { if (reload && number == 45) stop.Cancel(); };
                if (reload) Assert.Throws<OperationCanceledException>(() => learner.Learn(experience, null, stop.Token));
                if (reload) mechanism.SaveAndLoad(learner.Context);
                learner.Teach(experience);
                if (reload) mechanism.SaveAndLoad(learner.Context);
            }
            return learner.Context.Arena.Values.bytes.ToArray();
        }
        Assert.Equal(Run(false), Run(true));
    }

    [Fact]
    public void Xdg_silences_the_stated_share_of_units_and_others_in_each_task()
    {
        using var learner = Build("xdg", new ContextDependentGating(new XdgOptions { GatedFraction = 0.7 }));
        learner.Teach(s_tasks.Experiences[0]);
        learner.Teach(s_tasks.Experiences[1]);
        var backbone = (Mlp)learner.Context.Model.Backbone;
        using var scope = NewDisposeScope();
        float[][] Gates(int task)
        {
            Scores(learner, task, 2);
            return [.. backbone.Gates!.Select(gate => gate.data<float>().ToArray())];
        }
        var (first, second) = (Gates(0), Gates(1));
        Assert.All(first.Concat(second), gate => Assert.Equal(30, gate.Sum()));
        Assert.NotEqual(first[0], second[0]);
        Assert.NotEqual(first[0], first[1]);
        // Golden: the gated layer by hand in float64.
        Gates(0);
        var x = rand(3, 784);
        var hidden = x.to(ScalarType.Float64);
        foreach (var (layer, i) in new[] { ("fc1", 0), ("fc2", 1) })
        {
            var weight = backbone.get_parameter($"{layer}.weight")!.to(ScalarType.Float64);
            var bias = backbone.get_parameter($"{layer}.bias")!.to(ScalarType.Float64);
            hidden = hidden.matmul(weight.T).add(bias).clamp_min(0).mul(tensor(first[i]).to(ScalarType.Float64));
        }
        Assert.True(backbone.forward(x).to(ScalarType.Float64).sub(hidden).abs().max().item<double>() < 1e-5);
    }

    [Fact]
    public void PackNet_prunes_the_smallest_half_of_the_free_weights_of_each_layer()
    {
        var mechanism = new PackNet(new PackNetOptions { PruneFraction = 0.5, RetrainFraction = 0 });
        using var learner = Build("packnet", mechanism);
        learner.Teach(s_tasks.Experiences[0]);
        using var scope = NewDisposeScope();
        var slot = learner.Context.Arena["backbone.fc1.weight"];
        long Owned(int number) => slot.Of(mechanism.Owner).eq(number).sum().item<long>();
        Assert.Equal((39_200, 39_200), (Owned(0), Owned(1)));
        Assert.Equal(39_200, slot.Of(learner.Context.Arena.Values).eq(0).sum().item<long>());
        learner.Teach(s_tasks.Experiences[1]);
        Assert.Equal((19_600, 39_200, 19_600), (Owned(0), Owned(1), Owned(2)));
        Assert.Equal(4 * learner.Context.Arena.Length, mechanism.MemoryBytes);
    }

    [Fact]
    public void PackNet_keeps_the_largest_weights()
    {
        using var plain = Build("packnet");
        plain.Teach(s_tasks.Experiences[0]);
        using var packed = Build("packnet", new PackNet(new PackNetOptions { PruneFraction = 0.5, RetrainFraction = 0 }));
        packed.Teach(s_tasks.Experiences[0]);
        using var scope = NewDisposeScope();
        float[] Of(Learner learner) => learner.Context.Arena["backbone.fc2.weight"].Of(learner.Context.Arena.Values).data<float>().ToArray();
        var full = Of(plain);
        var border = full.Select(Math.Abs).Order().ElementAt(full.Length / 2);
        Assert.Equal(full.Select(w => Math.Abs(w) < border ? 0 : w), Of(packed));
    }

    [Fact]
    public void Progressive_columns_agree_with_equation_2_by_hand()
    {
        using var scope = NewDisposeScope();
        using var backbone = new ProgressiveMlp(6, 4, 3);
        backbone.AddColumn();
        backbone.AddColumn();
        Tensor P(string name) => backbone.get_parameter(name)!.to(ScalarType.Float64);
        Tensor Relu(Tensor t) => t.clamp_min(0);
        var x = rand(5, 6);
        var first = Enumerable.Range(0, 3)
            .Select(k => Relu(x.to(ScalarType.Float64).matmul(P($"column{k}.fc1.weight").T).add(P($"column{k}.fc1.bias")))).ToArray();
        var anterior = cat([first[0], first[1]], 1).mul(P("column2.alpha2"));
        var reduced = Relu(anterior.matmul(P("column2.v2.weight").T).add(P("column2.v2.bias")));
        var second = Relu(first[2].matmul(P("column2.fc2.weight").T).add(P("column2.fc2.bias")).add(reduced.matmul(P("column2.u2.weight").T)));
        Assert.True(backbone.forward(x).to(ScalarType.Float64).sub(second).abs().max().item<double>() < 1e-6);
        Assert.All(backbone.named_parameters(), p => Assert.Equal(p.name.StartsWith("column2.", StringComparison.Ordinal), p.parameter.requires_grad));
    }

    [Fact]
    public void Cwr_consolidates_rows_as_in_algorithm_1()
    {
        using var learner = Build("cwr", new CopyWeightsReinit());
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["0", "1"])));
        using var scope = NewDisposeScope();
        var context = learner.Context;
        double[] Row(string name, int id) => [.. context.Arena[name].Of(context.Arena.Values)[id].to(ScalarType.Float64).flatten().data<double>()];
        // A first consolidation shifts the mean over the experience's rows to zero.
        Assert.Equal(0, Row("head.weight", 0).Concat(Row("head.weight", 1)).Average(), 6);
        var (cw0, cw1, backbone) = (Row("head.weight", 0), Row("head.weight", 1), context.Arena["backbone.fc1.weight"].Of(context.Arena.Values).bytes.ToArray());

        // Class 1 comes back with 50 samples beside a new class of 200: capture tw just before consolidation.
        var back = new ConcatSource(SubsetSource.Balanced(SubsetSource.WithLabels(s_train, ["1"]), 50), SubsetSource.WithLabels(s_train, ["2"]));
        var capture = new Capture();
        using var second = Build("cwr", new CopyWeightsReinit(), capture);
        second.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["0", "1"])));
        second.Teach(new Experience(1, back));
        learner.Teach(new Experience(1, back));
        var mean = capture.Tw[1].Concat(capture.Tw[2]).Average();
        var past = Math.Sqrt(200.0 / 50);
        Assert.Equal(cw0, Row("head.weight", 0)); // an absent class does not change
        for (var i = 0; i < cw1.Length; i++)
        {
            Assert.Equal(((cw1[i] * past) + capture.Tw[1][i] - mean) / (past + 1), Row("head.weight", 1)[i], 5);
            Assert.Equal(capture.Tw[2][i] - mean, Row("head.weight", 2)[i], 5);
        }
        Assert.Equal(backbone, context.Arena["backbone.fc1.weight"].Of(context.Arena.Values).bytes.ToArray());
    }

    // Sees the head after the last step, before the experience ends.
    private sealed class Capture : RetentionMechanism
    {
        public double[][] Tw { get; private set; } = [];
        public override string Name => "capture";
        public override Seams Seams => Seams.None;
        public override long MemoryBytes => 0;
        protected internal override void AfterStep(TrainingStep step)
        {
            using var scope = NewDisposeScope();
            var weight = step.Context.Arena["head.weight"].Of(step.Context.Arena.Values).to(ScalarType.Float64);
            Tw = [.. Enumerable.Range(0, (int)weight.shape[0]).Select(row => weight[row].data<double>().ToArray())];
        }
    }

    [Fact]
    public void Cwr_forgets_less_than_naive_learning_of_classes()
    {
        var stream = ExperienceStream.ClassIncremental(s_train, s_test, ClassGroups.Split(Label.Numbers(0, 10), [5, 3, 2]));
        double Final(params RetentionMechanism[] mechanisms)
        {
            using var learner = Build("cwr", mechanisms);
            foreach (var experience in stream.Experiences) learner.Teach(experience);
            return Evaluator.Accuracy(learner, s_test);
        }
        var (naive, cwr) = (Final(), Final(new CopyWeightsReinit()));
        TestContext.Current.TestOutputHelper?.WriteLine($"naive {naive:f3}, cwr {cwr:f3}");
        Assert.InRange(cwr, naive + 0.2, 1);
    }

    [Fact]
    public void Mechanisms_that_change_the_forward_pass_by_task_refuse_what_does_not_fit()
    {
        foreach (var name in new[] { "xdg", "packnet", "progressive" })
            Assert.Contains("expected TaskIncremental", Assert.Throws<ArgumentException>(() => Build("cwr", s_create[name]())).Message);
        Assert.Contains("expected only one of them", Assert.Throws<ArgumentException>(
            () => Build("xdg", new ContextDependentGating(), new Replay())).Message);
        Assert.Contains("expected a ProgressiveMlp", Assert.Throws<ArgumentException>(
            () => Build("xdg", new ProgressiveNetworks())).Message);
        Assert.Contains("PruneFraction: 1", Assert.Throws<ArgumentException>(
            () => new PackNet(new PackNetOptions { PruneFraction = 1 })).Message);
        Assert.Contains("packnet prunes at a set step and trains on, expected EarlyStopping to be null", Assert.Throws<ArgumentException>(
            () => new Learner(
                () => new ContinualModel(new Mlp(784, 8)), Options("packnet") with { EarlyStopping = new EarlyStopping() }, [new PackNet()])).Message);
    }

    [Theory]
    [InlineData("packnet")]
    [InlineData("cwr")]
    public void Batch_statistics_stay_fixed_beside_fixed_weights_or_the_model_is_refused(string name)
    {
        Learner Normed(Freeze batchNorm, Freeze backbone) => new(
            () => new ContinualModel(new ModuleBackbone(
                nn.Sequential(("flat", nn.Flatten()), ("fc", nn.Linear(784, 16)), ("norm", nn.BatchNorm1d(16))), 16, "normed"))
            { FreezeBatchNorm = batchNorm, FreezeBackbone = backbone },
            Options(name) with { Epochs = 1 }, [s_create[name]()]);
        Assert.Equal($"model: FreezeBatchNorm is Never, expected AfterFirstExperience for {name}",
            Assert.Throws<ArgumentException>(() => Normed(Freeze.Never, Freeze.Never)).Message);
        Normed(Freeze.Never, Freeze.AfterFirstExperience).Dispose();
        using var learner = Normed(Freeze.AfterFirstExperience, Freeze.Never);
        byte[] Statistics() => [.. learner.Context.Model.named_buffers().SelectMany(pair => pair.buffer.bytes.ToArray())];
        var start = Statistics();
        learner.Teach(s_tasks.Experiences[0]);
        var first = Statistics();
        Assert.NotEqual(start, first);
        learner.Teach(s_tasks.Experiences[1]);
        Assert.Equal(first, Statistics());
    }
}
