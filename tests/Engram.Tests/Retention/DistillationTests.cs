using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class DistillationTests
{
    // A mechanism that looks at the finished gradient of a step, beside the one under test.
    private sealed class Spy(Action<TrainingStep> look) : RetentionMechanism
    {
        public override string Name => "spy";

        public override Seams Seams => Seams.Gradient;

        public override long MemoryBytes => 0;

        protected internal override void AddGradient(TrainingStep step) => look(step);
    }

    private static double[] Softmax(double[] z, double t = 1)
    {
        var e = z.Select(x => Math.Exp((x - z.Max()) / t)).ToArray();
        return [.. e.Select(x => x / e.Sum())];
    }

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
        var loss = Distillation.SoftCrossEntropy(logits, Matrix(teacher), t).mean();
        loss.backward();

        var expected = 0.0;
        var gradient = new double[4 * considered];
        for (var n = 0; n < 4; n++)
        {
            var (p, q) = (Softmax(student[n], t), Softmax(teacher[n], t));
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

    [Theory]
    [InlineData(DistillationWeighting.Sum, 1.0, 0.7)]
    [InlineData(DistillationWeighting.ByExperience, 1 / 2.0, 0.7 / 2)]
    [InlineData(DistillationWeighting.ByClasses, 1 / 2.0, 0.7 / 2)]
    public void The_total_loss_of_lwf_is_the_weighted_sum_of_both_losses(DistillationWeighting weighting, double fresh, double old)
    {
        double? label = null, soft = null;
        float[]? gradient = null;
        var spy = new Spy(step =>
        {
            if (step.Context.Completed == 0 || gradient is not null) return;
            gradient = step.Context.Arena.Gradient.data<float>().ToArray();
            using var on = enable_grad();
            // Before the first step the student is the teacher with fresh rows: its old logits are the soft targets.
            var logits = step.Context.Model.forward(step.Current.Inputs);
            var targets = logits.detach().narrow(1, 0, 2).div(2).softmax(1);
            var lossNew = nn.functional.cross_entropy(logits, step.Current.Targets);
            var lossOld = logits.narrow(1, 0, 2).div(2).log_softmax(1).mul(targets).sum(1).neg().mean();
            (label, soft) = (lossNew.item<float>(), lossOld.item<float>());
            var expected = step.Context.GradientOf(() => lossNew.mul(fresh).add(lossOld.mul(old)));
            Assert.True(expected.allclose(step.Context.Arena.Gradient, 1e-4, 1e-6));
        });
        using var learner = SplitMnist.Learner(
            [new LearningWithoutForgetting(new LwfOptions { Lambda = 0.7, Weighting = weighting }), spy], width: 32);
        learner.Learn(SplitMnist.Experience(0, 64));
        learner.Learn(SplitMnist.Experience(1, 64));
        Assert.True(label > 0 && soft > 0);
    }

    [Fact]
    public void Old_tasks_are_distilled_one_by_one_in_task_incremental_learning()
    {
        var looked = false;
        var spy = new Spy(step =>
        {
            if (step.Context.Completed < 2 || looked) return;
            looked = true;
            using var on = enable_grad();
            var logits = step.Context.Model.forward(step.Current.Inputs);
            Tensor Task(int first)
            {
                var own = logits.narrow(1, first, 2).div(2);
                return own.log_softmax(1).mul(own.detach().softmax(1)).sum(1).neg().mean();
            }
            var expected = step.Context.GradientOf(
                () => step.Context.Targets.Loss(logits, step.Current).add(Task(0)).add(Task(2)));
            Assert.True(expected.allclose(step.Context.Arena.Gradient, 1e-4, 1e-6));
        });
        using var learner = SplitMnist.Learner(
            [new LearningWithoutForgetting(), spy], Scenario.TaskIncremental, width: 32);
        for (var index = 0; index < 3; index++) learner.Learn(SplitMnist.Experience(index, 64, task: true));
        Assert.True(looked);
    }

    [Fact]
    public void The_teacher_answers_as_the_old_model_did_batch_normalisation_and_all_and_leaves_the_student_alone()
    {
        using var scope = NewDisposeScope();
        var inputs = TestData.Mnist.Test.Gather([.. Enumerable.Range(0, 40).Select(i => (long)i)]).Inputs;
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

    [Fact]
    public void Lfl_adds_half_the_squared_feature_distance_and_freezes_old_rows()
    {
        var checks = 0;
        float[]? rows = null;
        Tensor? old = null;
        var spy = new Spy(step =>
        {
            if (step.Context.Completed == 0) return;
            var head = step.Context.Arena["head.weight"];
            rows ??= head.Of(step.Context.Arena.Values).narrow(0, 0, 2).contiguous().data<float>().ToArray();
            old ??= step.Context.Arena.Values.clone().DetachFromDisposeScope();
            if (step.Number != 1) return;
            checks++;
            using var on = enable_grad();
            var (context, part) = (step.Context, step.Current);
            Tensor then;
            using (no_grad())
            using (context.Arena.Borrow(old))
                then = context.Model.Backbone.forward(part.Inputs);
            var expected = context.GradientOf(() =>
            {
                var features = context.Model.Backbone.forward(part.Inputs);
                var change = features.sub(then).square().sum().mul(0.5 * 3 / part.Count);
                return context.Targets.Loss(context.Model.Head.forward(features), part).add(change);
            });
            Assert.True(expected.allclose(context.Arena.Gradient, 1e-4, 1e-6));
        });
        using var learner = SplitMnist.Learner(
            [new LessForgettingLearning(new LflOptions { Lambda = 3 }), spy], batch: 32, width: 32);
        learner.Learn(SplitMnist.Experience(0, 64));
        learner.Learn(SplitMnist.Experience(1, 64));
        var weights = learner.Context.Arena["head.weight"].Of(learner.Context.Arena.Values);
        Assert.Equal(rows, weights.narrow(0, 0, 2).contiguous().data<float>().ToArray());
        Assert.Equal(1, checks);
        old!.Dispose();
    }

    [Fact]
    public void Replayed_samples_are_distilled_too_whatever_the_order_of_the_mechanisms()
    {
        float[] Scores(IReadOnlyList<RetentionMechanism> mechanisms)
        {
            using var scope = NewDisposeScope();
            using var learner = SplitMnist.Learner(mechanisms, batch: 32, width: 16);
            for (var index = 0; index < 2; index++) learner.Learn(SplitMnist.Experience(index, 64));
            return learner.Scores(TestData.Mnist.Test.Gather([0, 1, 2]).Inputs).data<float>().ToArray();
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
