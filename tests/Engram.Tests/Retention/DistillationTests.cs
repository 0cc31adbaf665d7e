using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class DistillationTests
{
    private static double[][] Random(int rows, int columns, string purpose)
    {
        var random = new SeededRandom(1, purpose);
        return [.. Enumerable.Range(0, rows).Select(_ =>
            Enumerable.Range(0, columns).Select(_ => (6 * random.NextDouble()) - 3).ToArray())];
    }

    private static Tensor Matrix(double[][] rows) =>
        tensor(rows.SelectMany(row => row).Select(x => (float)x).ToArray()).view(rows.Length, rows[0].Length);

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(2, 5)]
    public void Soft_cross_entropy_agrees_with_a_float64_computation_and_so_does_its_gradient(double t, int considered)
    {
        const int old = 3;
        using var scope = NewDisposeScope();
        var (student, teacher) = (Random(4, considered, "student"), Random(4, old, "teacher"));
        var logits = Matrix(student).requires_grad_();
        var loss = Distillation.SoftCrossEntropy(logits, Matrix(teacher), t);
        loss.backward();

        var expected = 0.0;
        var gradient = new double[4 * considered];
        for (var n = 0; n < 4; n++)
        {
            var (p, q) = (Float64Mlp.Softmax(student[n], t), Float64Mlp.Softmax(teacher[n], t));
            for (var k = 0; k < considered; k++)
            {
                var target = k < old ? q[k] : 0; // classes that the teacher does not know have target 0
                expected -= target * Math.Log(p[k]) / 4;
                gradient[(n * considered) + k] = (p[k] - target) / t / 4; // no factor T²: the gradient shrinks with T
            }
        }
        Assert.Equal(expected, loss.item<float>(), 1e-5);
        Assert.All(gradient.Zip(logits.grad!.data<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    // Four classes were learnt in two experiences; the third brings one more.
    [Theory]
    [InlineData(DistillationWeighting.Sum, 0, 1.0, 0.7)]
    [InlineData(DistillationWeighting.Sum, 1, 1.0, 0.7 * 2)]
    [InlineData(DistillationWeighting.ByExperience, 0, 1 / 3.0, 0.7 * 2 / 3)]
    [InlineData(DistillationWeighting.ByPast, 0, 1.0, 0.7 * 2)]
    [InlineData(DistillationWeighting.ByClasses, 0, 1 / 5.0, 0.7 * 4 / 5)]
    public void The_gradient_of_lwf_is_that_of_the_weighted_sum_of_both_losses(
        DistillationWeighting weighting, double growth, double fresh, double old) =>
        CheckLwf(new LwfOptions { Lambda = 0.7, Growth = growth, Weighting = weighting }, Scenario.ClassIncremental, s => Sum(
            Times(fresh, s.CrossEntropy()), Times(old, SoftGradient(s, [0, 1, 2, 3], 2))));

    [Fact]
    public void Lwf_can_push_old_samples_away_from_new_classes() =>
        CheckLwf(new LwfOptions { Lambda = 0.7, IncludeNewClasses = true }, Scenario.ClassIncremental, s => Sum(
            s.CrossEntropy(), Times(0.7, SoftGradient(s, [0, 1, 2, 3], 2, [4]))));

    [Fact]
    public void Lwf_can_undo_that_the_gradient_shrinks_with_the_temperature() =>
        CheckLwf(new LwfOptions { Temperature = 3, ScaleBySquaredTemperature = true }, Scenario.ClassIncremental, s => Sum(
            s.CrossEntropy(), Times(9, SoftGradient(s, [0, 1, 2, 3], 3))));

    [Theory]
    [InlineData(DistillationWeighting.Sum, 1.0, 1.0)]
    [InlineData(DistillationWeighting.ByExperience, 1 / 3.0, 2 / 3.0 / 2)] // the mean over the two old tasks
    public void Old_tasks_are_distilled_one_by_one_in_task_incremental_learning(DistillationWeighting weighting, double fresh, double old) =>
        CheckLwf(new LwfOptions { Weighting = weighting }, Scenario.TaskIncremental, s =>
        {
            var labels = s.Logits.Select((z, n) =>
            {
                var p = Float64Mlp.Softmax(z[4..]); // the outputs of the task at hand compete, and no others
                return z.Select((_, k) => k < 4 ? 0 : (p[k - 4] - (k == s.Labels[n] ? 1 : 0)) / s.Count).ToArray();
            }).ToArray();
            return Sum(Times(fresh, labels), Times(old, SoftGradient(s, [0, 1], 2)), Times(old, SoftGradient(s, [2, 3], 2)));
        });

    private static void CheckLwf(LwfOptions options, Scenario scenario, Func<StepByHand.Seen, double[][]> byLogits)
    {
        var check = new StepByHand(2, byLogits);
        using var learner = SplitMnist.Learner([new LearningWithoutForgetting(options), check], scenario, batch: 32, width: 32);
        var tasked = scenario == Scenario.TaskIncremental;
        for (var index = 0; index < 2; index++) learner.Study(SplitMnist.Experience(index, 64, tasked));
        var one = SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [4]), 128);
        learner.Study(tasked ? SplitMnist.Experience(2, 64, task: true) : new Experience(2, one));
        Assert.True(check.Checked);
    }

    // (softmax(z / T) − softmax(teacher / T)) / (T n) over some outputs; the teacher gives nothing to those it does not know.
    private static double[][] SoftGradient(StepByHand.Seen s, int[] known, double t, int[]? unknown = null) =>
    [
        .. s.Logits.Select((z, n) =>
        {
            int[] considered = [.. known, .. unknown ?? []];
            var p = Float64Mlp.Softmax(considered.Select(k => z[k]), t);
            var q = Float64Mlp.Softmax(known.Select(k => s.Teacher[n][k]), t);
            var row = new double[z.Length];
            for (var i = 0; i < considered.Length; i++) row[considered[i]] = (p[i] - (i < q.Length ? q[i] : 0)) / t / s.Count;
            return row;
        }),
    ];

    private static double[][] Times(double factor, double[][] rows) =>
        Array.ConvertAll(rows, row => Array.ConvertAll(row, value => factor * value));

    private static double[][] Sum(params double[][][] terms) => terms.Aggregate(
        (a, b) => [.. a.Zip(b, (x, y) => x.Zip(y, (u, v) => u + v).ToArray())]);

    [Fact]
    public void Targets_that_are_no_classes_are_distilled_output_by_output()
    {
        using var scope = NewDisposeScope();
        const double t = 2;
        var (student, teacher) = (Random(4, 3, "student"), Random(4, 3, "teacher"));
        static double Sigmoid(double z) => 1 / (1 + Math.Exp(-z));
        var labels = Distillation.Elementwise(Matrix(student), Matrix(teacher), t, TargetKind.MultiLabel).data<float>().ToArray();
        var values = Distillation.Elementwise(Matrix(student), Matrix(teacher), t, TargetKind.Regression).data<float>().ToArray();
        for (var n = 0; n < 4; n++)
        {
            var pairs = student[n].Zip(teacher[n]).ToArray();
            Assert.Equal(pairs.Average(p =>
            {
                var (g, q) = (Sigmoid(p.First / t), Sigmoid(p.Second / t));
                return -(q * Math.Log(g)) - ((1 - q) * Math.Log(1 - g));
            }), labels[n], 1e-5);
            Assert.Equal(pairs.Average(p => Math.Pow(p.First - p.Second, 2)), values[n], 1e-4);
        }
    }

    [Fact]
    public void The_teacher_answers_as_the_old_model_did_batch_normalisation_and_all_and_leaves_the_student_alone()
    {
        using var scope = NewDisposeScope();
        var inputs = TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 40).Select(i => (long)i)]);
        float[]? before = null, answered = null;
        var teacher = new FrozenModel();
        var spy = new Watcher(teacher, context =>
        {
            context.Model.eval();
            using (no_grad()) before = context.Model.forward(context.Model.Scaling.Apply(inputs)).data<float>().ToArray();
        }, context =>
        {
            var (values, buffers) = (context.Arena.Values.clone(), context.Model.buffers().Select(b => b.clone()).ToArray());
            answered = teacher.Forward(context, context.Model.Scaling.Apply(inputs)).Logits.contiguous().data<float>().ToArray();
            Assert.True(values.equal(context.Arena.Values).all().item<bool>());
            Assert.All(buffers.Zip(context.Model.buffers()), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
            Assert.True(context.Model.parameters().All(parameter => parameter.requires_grad));
        });
        using var learner = new Learner(
            () => new ContinualModel(new ModuleBackbone(
                nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.BatchNorm1d(32), nn.ReLU()), 32, "test")),
            new LearnerOptions { BatchSize = 32 }, [spy]);
        learner.Learn(SplitMnist.Experience(0, 64));
        learner.Learn(SplitMnist.Experience(1, 64));
        // The head has grown, so sums may be rounded otherwise.
        Assert.All(before!.Zip(answered!), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Equal(before!.Length, answered!.Length);
        Assert.Contains(answered!, answer => answer != 0);
    }

    // Holds a teacher of its own and asks it in the last step of the second experience.
    private sealed class Watcher(FrozenModel teacher, Action<LearningContext> before, Action<LearningContext> after)
        : RetentionMechanism
    {
        public override string Name => "watcher";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => teacher.Bytes;

        protected internal override void BeforeGrowth(LearningContext context)
        {
            if (context.Completed == 0) return;
            teacher.Capture(context);
            before(context);
            context.Model.train();
        }

        protected internal override void OnGrowth(LearningContext context, ArenaChange change) => teacher.Carry(change);

        protected internal override void EndExperience(LearningContext context)
        {
            if (context.Completed > 0) after(context);
        }

        protected override void Dispose(bool disposing) => teacher.Dispose();
    }

    [Theory]
    [InlineData(null, false, true)]
    [InlineData(null, true, true)]
    [InlineData(1, true, false)] // one batch of the 128 samples: not worth a record
    public void Answers_are_those_of_a_forward_pass_recorded_once_where_all_samples_are_read(int? iterations, bool replays, bool recorded)
    {
        var check = new Asking();
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 16)), new LearnerOptions { BatchSize = 32, Epochs = 2, Iterations = iterations },
            replays ? [new Replay(), check] : [check]);
        learner.Learn(SplitMnist.Experience(0, 64));
        learner.Learn(SplitMnist.Experience(1, 64));
        Assert.Equal(iterations ?? 8, check.Asked);
        Assert.Equal(4 * check.Parameters + (recorded ? 4 * 128 * 2 : 0), check.MostBytes); // answers of two classes to 128 samples
    }

    // Asks a teacher of its own in each step of the second experience.
    private sealed class Asking : RetentionMechanism
    {
        private readonly FrozenModel _teacher = new();

        public int Asked { get; private set; }

        public long MostBytes { get; private set; }

        public long Parameters { get; private set; }

        public override string Name => "asking";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => _teacher.Bytes;

        protected internal override void BeforeGrowth(LearningContext context)
        {
            if (context.Completed > 0) _teacher.Capture(context);
        }

        protected internal override void OnGrowth(LearningContext context, ArenaChange change) => _teacher.Carry(change);

        protected internal override void BeforeForward(TrainingStep step)
        {
            if (!_teacher.Exists) return;
            var (answers, expected) = (_teacher.Answers(step), _teacher.Forward(step.Context, step.Inputs).Logits);
            Assert.Equal(expected.shape, answers.shape);
            Assert.True(answers.sub(expected).abs().max().item<float>() < 1e-5); // products of other sizes are rounded otherwise
            (Asked, MostBytes, Parameters) = (Asked + 1, Math.Max(MostBytes, _teacher.Bytes), step.Context.Arena.Length);
        }

        protected override void Dispose(bool disposing) => _teacher.Dispose();
    }

    [Fact]
    public void A_teacher_saved_and_loaded_answers_the_same_bits()
    {
        using var scope = NewDisposeScope();
        using var learner = SplitMnist.Learner([], width: 16);
        learner.Learn(SplitMnist.Experience(0, 32));
        using FrozenModel teacher = new(), copy = new();
        teacher.Capture(learner.Context);
        var state = new MechanismState();
        teacher.Save(state);
        copy.Load(state);
        var inputs = rand(5, 784);
        var answer = teacher.Forward(learner.Context, inputs).Logits.contiguous().data<float>().ToArray();
        Assert.Equal(answer, copy.Forward(learner.Context, inputs).Logits.contiguous().data<float>().ToArray());
        Assert.Equal(teacher.Bytes, copy.Bytes);
        Assert.Equal(4 * learner.Context.Arena.Length, teacher.Bytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Lfl_adds_half_the_squared_feature_distance_and_freezes_old_rows(bool freeze)
    {
        const double lambda = 3;
        var check = new StepByHand(1, s => s.CrossEntropy(), s => // ∂ ½ λ ‖f − f_old‖² / ∂f, the mean over samples
            [.. s.Features.Zip(s.TeacherFeatures, (f, old) => f.Zip(old, (x, y) => lambda * (x - y) / s.Count).ToArray())]);
        using var learner = SplitMnist.Learner(
            [new LessForgettingLearning(new LflOptions { Lambda = lambda, FreezeHead = freeze }), check], batch: 32, width: 32);
        float[] OldRows() => learner.Context.Arena["head.weight"].Of(learner.Context.Arena.Values).narrow(0, 0, 2).contiguous().data<float>().ToArray();
        learner.Study(SplitMnist.Experience(0, 64));
        using var scope = NewDisposeScope();
        var before = OldRows();
        learner.Study(SplitMnist.Experience(1, 64));
        Assert.Equal(freeze, before.SequenceEqual(OldRows()));
        Assert.True(check.Checked);
    }

    [Fact]
    public void Replayed_samples_are_distilled_too_whatever_the_order_of_the_mechanisms()
    {
        float[] Scores(IReadOnlyList<RetentionMechanism> mechanisms)
        {
            using var scope = NewDisposeScope();
            using var learner = SplitMnist.Learner(mechanisms, batch: 32, width: 16);
            for (var index = 0; index < 2; index++) learner.Learn(SplitMnist.Experience(index, 64));
            return learner.Scores(TestData.Mnist.Test.Inputs([0, 1, 2])).data<float>().ToArray();
        }
        Assert.Equal(
            Scores([new LearningWithoutForgetting(), new Replay()]), Scores([new Replay(), new LearningWithoutForgetting()]));
    }

    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        Assert.Contains("Temperature: 0, expected", Assert.Throws<ArgumentException>(
            () => new LearningWithoutForgetting(new LwfOptions { Temperature = 0 })).Message);
        Assert.Contains("Lambda: -1, expected", Assert.Throws<ArgumentException>(
            () => new LearningWithoutForgetting(new LwfOptions { Lambda = -1 })).Message);
        Assert.Contains("Lambda: NaN, expected", Assert.Throws<ArgumentException>(
            () => new LessForgettingLearning(new LflOptions { Lambda = double.NaN })).Message);
    }

    [Fact]
    public void Task_incremental_lwf_keeps_pairs_of_digits_apart() =>
        Assert.InRange(SplitMnist.Accuracy(Scenario.TaskIncremental, 0, () => [new LearningWithoutForgetting()], 1000), 0.97, 1);
}
